import { mkdirSync, writeFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { type Crd, customResourceDefinition } from './crd.ts'
import { crds } from './crds.ts'
import { NODE_CONFIG, OPENSTACK_CONFIG } from './names.ts'

/**
 * Returns the files that `npm run crds` generates from the contract: path from the repository root → content. A test fails if a file
 * differs.
 */
export function generatedFiles(): Map<string, string> {
	return new Map(crds.flatMap(crd => [[`crds/${fileName(crd)}`, crdYaml(crd)] as const, ...chartCopy(crd)]))
}

/**
 * Annotations that prevent Helm, Argo CD and Flux from deleting a CRD together with the release: deleting a CRD deletes all its objects.
 */
const KEPT = {
	'helm.sh/resource-policy': 'keep',
	'argocd.argoproj.io/sync-options': 'Prune=false',
	'kustomize.toolkit.fluxcd.io/prune': 'disabled',
}

/** The chart of each group: that of the biz clusters, and that of the MGMT cluster. */
const CHARTS = new Map<string, string>([
	[NODE_CONFIG.group, 'multinic'],
	[OPENSTACK_CONFIG.group, 'multinic-mgmt'],
])

/**
 * Returns the CRD as a template of its chart, so that an upgrade of the chart also updates the CRD. The CRD is kept when the release is
 * deleted.
 */
function chartCopy(crd: Crd): [string, string][] {
	const chart = CHARTS.get(crd.group)
	if (!chart) return []
	const manifest = customResourceDefinition(crd) as { metadata: { annotations?: Record<string, string> } }
	manifest.metadata.annotations = { ...KEPT }
	return [[`charts/${chart}/templates/crds/${fileName(crd)}`, yaml(manifest)]]
}

function fileName({ group, names }: Crd): string {
	return `${group}_${names.plural}.yaml`
}

function crdYaml(crd: Crd): string {
	return yaml(customResourceDefinition(crd))
}

function yaml(manifest: unknown): string {
	return `# Generated from contract/ by \`npm run crds\`. Do not edit.\n${stringify(manifest, { lineWidth: 0, aliasDuplicateObjects: false })}`
}

if (import.meta.main) {
	for (const [path, content] of generatedFiles()) {
		mkdirSync(path.slice(0, path.lastIndexOf('/')), { recursive: true })
		writeFileSync(path, content)
		process.stdout.write(`${path}\n`)
	}
}
