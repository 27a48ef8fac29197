/** A real API server without nodes, for tests or manual use. */
export interface ApiServer {
	/** `https://127.0.0.1:<port>` */
	readonly server: string
	/** Bearer token of a member of system:masters. */
	readonly token: string
	/** PEM certificate of the CA that signed its serving certificate. */
	readonly ca: string
	readonly caFile: string
	/** Path of an administrator's kubeconfig. */
	readonly kubeconfig: string
	/** Directory that contains kubectl and helm, for PATH. */
	readonly bin: string
	stop(): Promise<void>
}

/**
 * Whether to run the controller manager (needed for Jobs, garbage collection and ServiceAccount tokens), with its default controllers or
 * only the named ones; and where to log progress.
 */
export interface ApiServerOptions {
	controllerManager?: boolean | readonly string[]
	log?: (line: string) => void
}
