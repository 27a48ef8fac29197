import type { InlineKubeconfig } from '../../runtime/kube/index.ts'

/** Where the credentials of a biz cluster come from. */
export type Access =
	/** A kubeconfig file, which may refer to other files and run programs. Without a kubeconfig: the credentials of viola's own pod. */
	| { readonly from: 'file'; readonly kubeconfig?: string | undefined; readonly context?: string | undefined }
	| { readonly from: 'inline'; readonly kubeconfig: InlineKubeconfig }
	/** No credentials, because the source is invalid. The target still claims its provider, so that no other source replaces it. */
	| { readonly from: 'nowhere'; readonly fault: string }

/** One biz cluster, and how viola reaches it. */
export type Target = {
	readonly providerId: string
	/** Namespace of its node configs. */
	readonly namespace: string
	/** The file or the Secret that defines it, for messages. */
	readonly source: string
	readonly access: Access
	/** Two targets with the same place address the same cluster and namespace, possibly with other credentials. */
	readonly place: string
	/** Differs if any part of the target differs, including its credentials. */
	readonly version: string
}

/** Namespace of node configs unless a target sets another one. */
export const DEFAULT_NAMESPACE = 'multinic-system'

export type TargetChange = { readonly type: 'added' | 'changed' | 'removed'; readonly target: Target }
