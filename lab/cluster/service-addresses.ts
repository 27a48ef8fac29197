/** The cluster IPs of all Services. */
export const serviceRange = '10.96.0.0/16'

/** Cluster IP of the `kubernetes` Service: the first address of `serviceRange`. */
export const apiServerAddress = '10.96.0.1'

/** Cluster IP of the DNS Service. The kubelets have the same in `clusterDNS`. */
export const dnsAddress = '10.96.0.10'

/** The domain of all Services. The kubelets have the same in `clusterDomain`. */
export const clusterDomain = 'cluster.local'

/** The names of the `kubernetes` Service. */
export const apiServerNames = ['', '.default', '.default.svc', `.default.svc.${clusterDomain}`].map(rest => `kubernetes${rest}`)
