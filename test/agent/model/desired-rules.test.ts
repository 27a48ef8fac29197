import { describe, expect, test } from 'vitest'
import { rulesOf } from '../../../agent/model/desired-rules.ts'
import { type Interface, settle } from '../../../contract/interface.ts'

const nic = { id: 0, macAddress: 'fa:16:3e:00:00:00', address: '10.0.0.23', cidr: '10.0.0.0/24', gateway: '10.0.0.1' }

describe('the rules for pods', () => {
	test.each<[title: string, told: string[], wish: Partial<Interface>, networks: string[]]>([
		['are one for each network', ['10.244.0.0/16', '10.245.0.0/16'], {}, ['10.244.0.0/16', '10.245.0.0/16']],
		['are of the wider of two networks', ['10.244.0.0/16', '10.244.1.0/24', '10.244.0.0/16'], {}, ['10.244.0.0/16']],
		[
			'are of the narrower of two networks where the wider has a route of the interface',
			['10.244.0.0/16', '10.244.1.0/24'],
			{ routes: [{ to: '10.244.128.0/17', via: '10.0.0.1' }] },
			['10.244.1.0/24'],
		],
		[
			'are of the narrower of two networks where the wider has the gateway',
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
