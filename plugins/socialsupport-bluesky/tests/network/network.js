// A network of its own: directory, PDS and AppView on loopback. Says their addresses in one line; ends with its input.

const { TestBsky, TestPds, TestPlc, mockNetworkUtilities } = require('@atproto/dev-env')

async function freePort() {
  const server = require('node:net').createServer()
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready))
  const { port } = server.address()
  await new Promise((closed) => server.close(closed))
  return port
}

async function main() {
  const plc = await TestPlc.create({})
  const pdsPort = await freePort()
  const bsky = await TestBsky.create({
    plcUrl: plc.url,
    pdsPort,
    repoProvider: `ws://localhost:${pdsPort}`,
    dbPostgresUrl: process.env.DB_POSTGRES_URL,
    dbPostgresSchema: 'appview',
  })
  const pds = await TestPds.create({
    port: pdsPort,
    didPlcUrl: plc.url,
    bskyAppViewUrl: bsky.url,
    bskyAppViewDid: bsky.ctx.cfg.serverDid,
  })
  mockNetworkUtilities(pds, bsky) // handles are looked up at the PDS, not in the world's DNS
  console.log(JSON.stringify({ pds: pds.url, appview: bsky.url }))
}

process.stdin.on('end', () => process.exit(0)).resume()
main().catch((error) => {
  console.error(error)
  process.exit(1)
})
