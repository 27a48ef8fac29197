import { describe, expect, test } from 'vitest'
import { rulesOf } from '../../../agent/model/desired-rules.ts'
import { type Interface, settle } from '../../../contract/interface.ts'

const nic = { id: 0, macAddress: 'fa:16:3e:00:00:00', address: '10.0.0.23', cidr: '10.0.0.0/24', gateway: '10.0.0.1' }

describe('the rules for pods', () => {
	test.each<[title: string, told: string[], wish: Partial<Interface>, networks: string[]]>([
		['are one for each pod network', ['10.244.0.0/16', '10.245.0.0/16'], {}, ['10.244.0.0/16', '10.245.0.0/16']],
		['are for the larger of two overlapping pod networks', ['10.244.0.0/16', '10.244.1.0/24', '10.244.0.0/16'], {}, ['10.244.0.0/16']],
		[
			'are for the smaller of two overlapping pod networks if the larger contains a route of the interface',
			['10.244.0.0/16', '10.244.1.0/24'],
			{ routes: [{ to: '10.244.128.0/17', via: '10.0.0.1' }] },
			['10.244.1.0/24'],
		],
		[
			'are for the smaller of two overlapping pod networks if the larger contains the gateway',
			['10.244.0.0/16', '10.244.1.0/24'],
			{ gateway: '10.244.9.1' },
			['10.244.1.0/24'],
		],
	])('%s', (_, podNetworks, wish, networks) => {
		const [wanted] = settle([{ ...nic, ...wish }], { podNetworks })
		if (!wanted) throw new Error('no interface')
		expect(rulesOf(wanted).flatMap(({ to }) => to ?? [])).toEqual(networks)
	})
})
