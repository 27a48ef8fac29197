/** Returns an interface with a MAC and an address that depend on the node's name. */
export function nicOf(name: string) {
	const last = [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_536, 7)
	const [high, low] = [last >> 8, last & 255]
	const macAddress = `fa:16:3e:00:${high.toString(16).padStart(2, '0')}:${low.toString(16).padStart(2, '0')}`
	return { id: 0, macAddress, address: `10.1.${high}.${low}`, cidr: '10.0.0.0/8', mtu: 1450 }
}
