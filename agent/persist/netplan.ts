import type { WantedInterface } from '../../contract/interface.ts'
import type { FileState, Route } from '../host/state.ts'
import { netplanPath, sysctlPath } from '../paths.ts'
import { addressesOf, routesOf, rulesOf, sysctlsOf } from '../routing.ts'
import { yaml } from './yaml.ts'

/** The files of one interface that the backend `netplan-networkd` reads at boot: path → content. They say what the run does. */
export function netplanFiles(nic: WantedInterface): Record<string, FileState> {
	return {
		[netplanPath(nic.name)]: { content: netplanYaml(nic), mode: 0o600, gid: 0 },
		[sysctlPath(nic.name)]: { content: sysctlConf(nic), mode: 0o644, gid: 0 },
	}
}

/** A MAC is written in lower case: netplan's udev rule compares letters as they are. */
function netplanYaml(nic: WantedInterface): string {
	const definition = {
		match: { macaddress: nic.macAddress },
		'set-name': nic.name,
		mtu: nic.mtu,
		dhcp4: false,
		dhcp6: false,
		'accept-ra': false,
		// A NIC that is gone must not hold up the boot.
		optional: true,
		addresses: addressesOf(nic),
		routes: routesOf(nic, 0).map(routeOf),
		'routing-policy': rulesOf(nic).map(({ from, priority, table }) => ({ from: from.slice(0, from.indexOf('/')), table, priority })),
	}
	return `# MultiNIC wrote this and will write it again. Change the MultiNicNodeConfig instead.\n${yaml({
		network: { version: 2, ethernets: { [nic.name]: definition } },
	})}`
}

function routeOf({ to, via, table, metric, onlink, family }: Route) {
	return {
		to,
		via,
		scope: via === undefined ? 'link' : undefined,
		'on-link': onlink || undefined,
		metric: metric === (family === 6 ? 1024 : 0) ? undefined : metric,
		table: table === 254 ? undefined : table,
	}
}

function sysctlConf(nic: WantedInterface): string {
	const lines = Object.entries(sysctlsOf(nic)).map(([key, value]) => {
		const [family = '', setting = ''] = key.split('/')
		return `-net.${family}.conf.${nic.name}.${setting} = ${value}\n`
	})
	return `# MultiNIC wrote this and will write it again.\n${lines.join('')}`
}
