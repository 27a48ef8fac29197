import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { contained } from '../base/contained.ts'

const work = 'tmp/containerd'

/**
 * Imports an archive of images into the containerd of a file system tree, by running that containerd in a chroot. This is done once, here,
 * because importing on the nodes would take 8 s per node and boot.
 */
export async function importImages(tree: string, archive: string): Promise<void> {
	const folder = join(tree, work)
	await mkdir(folder, { recursive: true })
	await writeFile(join(folder, 'config.toml'), config)
	await writeFile(join(folder, 'import'), script, { mode: 0o755 })
	await contained(['bash', '-ec', inside, 'import', tree, archive])
	await rm(folder, { recursive: true })
}

const config = `version = 2
root = "/var/lib/containerd"
state = "/${work}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "/${work}/containerd.sock"
`

/** $1 is the tree, $2 the archive. The mounts disappear with the mount namespace in which this script runs. */
const inside = `
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount -t tmpfs tmpfs "$1/dev"
mknod -m 666 "$1/dev/null" c 1 3
mknod -m 666 "$1/dev/urandom" c 1 9
: >"$1/${work}/archive"
mount --bind "$2" "$1/${work}/archive"
exec chroot "$1" /${work}/import
`

const script = `#!/bin/bash -e
cd /${work}
containerd -c config.toml >containerd.log 2>&1 &
until [ -S containerd.sock ]; do sleep 0.1; kill -0 $! || { cat containerd.log >&2; exit 1; }; done
ctr -a containerd.sock -n k8s.io images import archive
kill $!
wait $! || true
`
