const mac = (id: number) => `fa:16:3e:00:00:0${id}`

/** A config in which multinic0 and multinic1 of a host swap names and get another MTU and both families, and a third NIC is new. */
export const swapped = [
	{ id: 0, macAddress: mac(1), address: '10.0.0.23', cidr: '10.0.0.0/24', mtu: 1400, gateway: '10.0.0.1', addresses: ['fd00::23/64'] },
	{ id: 1, macAddress: mac(0), address: '10.0.1.23', cidr: '10.0.1.0/24', gateway: '10.0.1.1' },
	{ id: 2, macAddress: mac(2), address: '10.0.2.23', cidr: '10.0.2.0/24', mtu: 9000 },
]
