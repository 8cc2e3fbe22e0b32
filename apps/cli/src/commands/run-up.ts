import { hostname, userInfo } from 'node:os'
import {
  type ConfigFlags,
  createLogger,
  type RunningServer,
  readConfig,
  sampleClientFile,
  startServer,
  trustInstructions,
} from '@scopegate/server'
import { CliError } from '../cli-error.ts'
import { saveCredential } from '../connection/credentials.ts'
import type { CliContext } from '../context.ts'
import { curlLine } from '../shell-quote.ts'
import type { UpOptions } from './up.ts'

/** Runs until it is told to stop. */
export async function up(options: UpOptions, context: CliContext): Promise<void> {
  const { stdout, stderr, environment, cwd } = context
  const startedMs = performance.now()
  const read = () => readConfig(configFlags(options, cwd), environment)
  const config = read()
  const { level, format } = config.settings.log
  const isText = format === 'text' || (format === 'auto' && stdout.isTTY === true)
  const log = createLogger({
    level,
    format: isText && options.json !== true ? 'text' : 'json',
    stream: stdout,
  })
  // Watched from here on: whoever stops a server that is still starting must not leave a database.
  // A hang-up of the terminal ends it; without a terminal it asks for the configuration to be read.
  let reload: (() => void) | undefined
  const stop = stopSignal(stdout.isTTY === true ? undefined : () => reload?.())
  const server = await startServer(config, {
    sample: options.sample,
    log,
    read,
    holder: `${userInfo().username}@${hostname()}`,
  })
  reload = () => void server.reload('SIGHUP')
  try {
    const { credential, url, adminUrl, tokenUrl } = server
    const credentialFile = saveCredential(environment, url, {
      ...credential,
      adminUrl,
      tokenUrl,
      startedAt: Math.floor(Date.now() / 1000),
      ...(server.localCa && { caFile: server.localCa.file }),
    })
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
    if (options.json === true) log.info({ url, fhirUrl: server.fhirUrl, adminUrl }, 'ready')
    else {
      const banner = readyText(server, { seconds, credentialFile, dataDir: config.dataDir })
      const out = isText ? stdout : stderr
      out.write(`${banner}\n`)
      if (!isText) log.info({ url, fhirUrl: server.fhirUrl, adminUrl }, 'ready')
    }
    const why = await stop
    log.info({ why }, 'stopping')
  } finally {
    await server.close()
  }
  log.info('stopped')
}

function configFlags(options: UpOptions, cwd: string): ConfigFlags {
  const port = options.port === undefined ? undefined : Number(options.port)
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536)) {
    throw new CliError('--port takes a number from 1 to 65535', { why: `got \`${options.port}\`` })
  }
  return {
    cwd,
    ...(options.config !== undefined && { configFile: options.config }),
    ...(options.data !== undefined && { dataDir: options.data }),
    ...(port !== undefined && { port }),
    ...((options.tls === true || options.tlsName.length > 0) && {
      localTls: { names: options.tlsName },
    }),
  }
}

/** Presses of Ctrl-C reach the launcher and this process: the second of one press is not a second. */
const SAME_PRESS_MS = 1000

/** Resolves with what asks this process to end; a second, later signal ends it at once. */
function stopSignal(onHangUp?: () => void): Promise<string> {
  return new Promise((resolve) => {
    let askedMs: number | undefined
    const ask = (why: string) => {
      if (askedMs !== undefined && performance.now() - askedMs > SAME_PRESS_MS) process.exit(130)
      askedMs ??= performance.now()
      resolve(why)
    }
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      const isHangUp = signal === 'SIGHUP' && onHangUp !== undefined
      process.on(signal, () => (isHangUp ? onHangUp() : ask(signal)))
    }
    // The launcher was killed and could pass nothing on.
    if (process.connected) {
      process.once('disconnect', () => ask('the launcher is gone'))
      process.channel?.unref()
    }
  })
}

interface ReadyFacts {
  readonly seconds: string
  readonly credentialFile: string
  readonly dataDir: string
}

function readyText(server: RunningServer, facts: ReadyFacts): string {
  const { url, fhirUrl, tokenUrl, adminUrl, resourceCounts, sampleClients, localCa } = server
  const total = Object.values(resourceCounts).reduce((sum, count) => sum + count, 0)
  const lab = sampleClients[0]
  return [
    '',
    `  Scopegate is ready (${facts.seconds} s)`,
    '',
    `  Start here   ${url}`,
    `  FHIR R4      ${fhirUrl}`,
    `  Tokens       ${tokenUrl}`,
    `  Admin API    ${adminUrl}`,
    `  Data         ${server.storage}, ${total.toLocaleString('en')} resources`,
    ...(localCa ? [`  Local CA     ${localCa.file}`] : []),
    '',
    ...(localCa?.isNew ? trustText(localCa.file, url) : []),
    ...(lab
      ? [
          `  Count what a laboratory scope may see (paste it into another terminal):`,
          '',
          curlLine({
            tokenUrl,
            clientId: lab.clientId,
            clientSecret: lab.clientSecret,
            scope: lab.scopes,
            resourceUrl: `${fhirUrl}/Observation?_summary=count`,
            ...(localCa && { caFile: localCa.file }),
          }),
          '',
          `  More sample clients, with their secrets: ${sampleClientFile(facts.dataDir)}`,
        ]
      : [
          '  Next: make a client, and import data',
          '',
          '    scopegate client add reader --scopes "system/*.rs"',
          '    scopegate import FILE.ndjson.gz',
          '',
        ]),
    `  Commands such as \`scopegate client list\` find this server by ${facts.credentialFile}`,
    '',
  ].join('\n')
}

/** Said once, when the CA is made; docs/reference/tls.md says it again. */
function trustText(caFile: string, url: string): readonly string[] {
  const ways = trustInstructions(caFile, `${url}/healthz`)
  const width = Math.max(...ways.map(({ who }) => who.length))
  return [
    '  The certificate is of a CA made just now, for the names of this server only. To trust it:',
    '',
    ...ways.map(({ who, how }) => `    ${who.padEnd(width)}  ${how}`),
    '',
  ]
}
