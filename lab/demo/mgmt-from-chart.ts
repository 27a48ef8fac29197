import { stringify } from 'yaml'
import { kubeconfig } from '../cluster/kubeconfig.ts'
import { apiServerAddress } from '../cluster/service-addresses.ts'
import type { Lab } from '../setup/start-lab.ts'
import { namespace as bizNamespace, type MgmtSide, pollIntervals } from './cloud.ts'
import { helmInstall } from './helm-install.ts'
import { controllerImage } from './install.ts'
import { applyObjects, namespaceObject, secretObject } from './kubectl.ts'
import { applyOpenstackConfig, type Connection } from './openstack-config.ts'

/** Namespace of mgmt and viola. It differs from that of the controller, which must allow privileged pods. */
export const mgmtNamespace = 'multinic-mgmt'

const secrets = { token: 'viola-token', clusters: 'viola-clusters' } as const

/**
 * Installs mgmt and viola from `charts/multinic-mgmt` on the nodes of the biz cluster, and creates the OpenstackConfig there. Returns when
 * all their pods are available. They stop with the nodes.
 */
export async function installMgmtChart(lab: Lab, connection: Connection): Promise<MgmtSide> {
	const { openstack, providerId, token } = connection
	await lab.exposePort(Number(new URL(openstack.contrabassUrl).port))
	await applyObjects(lab, lab.biz, [
		namespaceObject(mgmtNamespace, 'restricted'),
		secretObject(mgmtNamespace, secrets.token, { token }),
		secretObject(mgmtNamespace, secrets.clusters, clusterFiles(lab, providerId)),
	])
	await helmInstall(lab, { name: 'multinic-mgmt', namespace: mgmtNamespace, values: values(connection), deployment: 'multinic-mgmt' })
	await applyOpenstackConfig(lab, lab.biz, mgmtNamespace, connection)
	return {
		where: `mgmt, viola and the OpenstackConfig are in namespace ${mgmtNamespace} of this cluster.`,
		stop: async () => {},
	}
}

/** The keys of the Secret with viola's biz clusters: the list, and the kubeconfig of the only one. */
function clusterFiles({ biz }: Lab, providerId: string): Record<string, string> {
	const { ca, token } = biz
	return {
		'clusters.yaml': stringify({ [providerId]: { kubeconfig: '/etc/multinic/clusters/kubeconfig', namespace: bizNamespace } }),
		kubeconfig: kubeconfig({ name: 'biz', server: `https://${apiServerAddress}`, ca, token }),
	}
}

function values({ openstack, providerId }: Connection): object {
	const { fast, slow, error } = pollIntervals
	return {
		image: controllerImage,
		mgmt: {
			poll: { fastInterval: fast, slowInterval: slow, errorInterval: error },
			allowedProviders: { [mgmtNamespace]: [providerId] },
		},
		contrabass: { endpoint: openstack.contrabassUrl },
		viola: { token: { secretName: secrets.token }, clusters: { secretName: secrets.clusters } },
		inventory: { persistence: { enabled: false } }, // the lab provides no volumes
	}
}
