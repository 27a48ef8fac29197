/** A real API server without nodes, for tests or manual use. */
export interface ApiServer {
	/** `https://127.0.0.1:<port>` */
	readonly server: string
	/** Bearer token of a member of system:masters. */
	readonly token: string
	/** PEM of the authority that signed its certificate. */
	readonly ca: string
	readonly caFile: string
	/** Path of an administrator's kubeconfig. */
	readonly kubeconfig: string
	/** Folder with kubectl and helm in it, for PATH. */
	readonly bin: string
	stop(): Promise<void>
}

/**
 * Whether the controller manager runs (Jobs, garbage collection and service account tokens), with all controllers or those named, and where
 * progress is logged.
 */
export interface ApiServerOptions {
	controllerManager?: boolean | readonly string[]
	log?: (line: string) => void
}
