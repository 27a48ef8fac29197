import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** A metadata service in a namespace: `node metadata-server.ts BEHAVIOUR`. It sends a message to the parent for every request. */
const recorded = readFileSync(new URL('../fixtures/openstack/metadata/network_data.json', import.meta.url))

const behaviours: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
	recorded: (request, response) => response.writeHead(request.url === '/openstack/latest/network_data.json' ? 200 : 404).end(recorded),
	slow: (_, response) => void setTimeout(() => response.end(recorded), 300),
	hangs: () => {},
	stalls: (_, response) => void response.write(recorded.subarray(0, 100)),
	breaks: (_, response) => void response.write(recorded.subarray(0, 100), () => response.destroy()),
	garbage: (_, response) => response.end('<html>login</html>'),
	otherwise: (_, response) => response.end('{"links": 7}'),
	empty: (_, response) => response.end(),
	missing: (_, response) => response.writeHead(404).end('404 Not Found'),
	broken: (_, response) => void response.writeHead(500).write('Internal'),
	elsewhere: (_, response) => response.writeHead(302, { location: 'http://127.0.0.1/openstack/latest/network_data.json' }).end(recorded),
	huge: (_, response) => endless(response),
}

const behave = behaviours[process.argv[2] ?? '']
createServer((request, response) => {
	process.send?.(request.url)
	behave?.(request, response)
}).listen(80, '0.0.0.0', () => process.send?.('ready'))

function endless(response: ServerResponse): void {
	if (!response.destroyed) response.write(Buffer.alloc(65_536, ' '), () => endless(response))
}
