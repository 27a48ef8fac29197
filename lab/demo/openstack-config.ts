import { openstackConfigCrd } from '../../contract/crds.ts'
import { KubeClient, loadCredentials } from '../../runtime/kube/index.ts'
import { waitForCrds } from '../cluster/wait-for-crds.ts'
import type { Openstack } from '../openstack/server.ts'
import type { Cluster, Lab } from '../setup/start-lab.ts'
import { applyObjects, secretObject } from './kubectl.ts'

/** The OpenStack and the biz cluster that mgmt and viola connect. */
export interface Connection {
	readonly openstack: Openstack
	/** Name of the subnet whose ports become NICs. */
	readonly subnet: string
	/** The VMs, which are the nodes of the biz cluster. */
	readonly nodes: readonly string[]
	/** Provider id of the biz cluster. */
	readonly providerId: string
	/** Token with which mgmt calls viola. */
	readonly token: string
}

/**
 * Applies what an operator would apply to the cluster of mgmt: the encryption key of Contrabass, and one OpenstackConfig for all nodes.
 * Before that, it waits until the API server serves the CRD.
 */
export async function applyOpenstackConfig(lab: Lab, cluster: Cluster, namespace: string, connection: Connection): Promise<void> {
	const client = new KubeClient(await loadCredentials({ kubeconfig: cluster.kubeconfig }, {}), { fieldManager: 'multinic-lab' })
	await waitForCrds(client, [openstackConfigCrd]).finally(() => client.close())
	await applyObjects(lab, cluster, objects(namespace, connection))
}

function objects(namespace: string, { openstack, subnet, nodes, providerId }: Connection): object[] {
	const key = { name: 'contrabass', key: 'encrypt-key' }
	const credentials = { openstackProviderID: openstack.providerId, k8sProviderID: providerId, projectID: openstack.projectId }
	return [
		secretObject(namespace, key.name, { [key.key]: openstack.encryptKey }),
		{
			apiVersion: 'multinic.example.com/v1alpha1',
			kind: 'OpenstackConfig',
			metadata: { name: 'lab', namespace },
			spec: { vmNames: nodes, subnetName: subnet, credentials, secrets: { contrabassEncryptKeySecretRef: key } },
		},
	]
}
