/** A real API server with nothing behind it, for a test or for a person. */
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

/** Whether Jobs, garbage collection and service account tokens shall come true, all or by the names of their controllers, and where what happens is told. */
export interface ApiServerOptions {
	controllerManager?: boolean | readonly string[]
	log?: (line: string) => void
}
