import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { testStorage } from '@scopegate/storage/testing'
import { readConfig } from '../config.ts'
import { createLogger } from '../operations/logger.ts'
import { serve } from '../serve.ts'
import { openKernel } from '../wire/kernel.ts'
import { wire } from '../wire.ts'
import { followConfiguration, type Serving } from './follow-configuration.ts'

const storage = await testStorage()

test('a change that cannot be recorded leaves monitoring with what is in force', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'scopegate-reload-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const configured = (name: string) => {
    const configFile = join(folder, 'scopegate.yaml')
    writeFileSync(
      configFile,
      `connections:
  - name: ${name}
    issuer: https://idp.example
    grant: client_credentials
    clientId: reader
    scopes: [a]
    authentication: { secrets: [env:LAB_SECRET] }
`,
    )
    return readConfig({ configFile }, { LAB_SECRET: 'a-secret-of-some-length' })
  }
  const log = createLogger({ level: 'error', format: 'json', stream: new PassThrough().resume() })
  const config = configured('former')
  const kernel = await openKernel(config, storage, log)
  context.after(() => kernel.close())
  const parts = await wire(config, kernel)
  parts.takeOver()
  const serving: Serving = { parts, served: serve(parts, false, log) }
  context.after(() => serving.parts.close())
  let isRecorded = false
  const { adminAudit } = kernel.audits
  const audits = {
    ...kernel.audits,
    adminAudit: {
      ...adminAudit,
      record: (event: Parameters<typeof adminAudit.record>[0]) =>
        isRecorded ? adminAudit.record(event) : Promise.reject(new Error('disk full')),
    },
  }
  const following = followConfiguration({
    ...{ kernel: { ...kernel, audits }, config, serving, servers: [], sample: [] },
    read: () => configured('next'),
  })
  context.after(() => following.close())
  const shown = async () => {
    const answer = await kernel.metrics.handler(new Request('http://localhost/metrics'))
    const states = (await answer.text()).matchAll(/scopegate_connection_hits\{connection="(\w+)"/g)
    return [...states].map(([, name]) => name)
  }

  assert.deepEqual(await shown(), ['former'])
  assert.equal(await following.reload('SIGHUP'), 'refused')
  assert.deepEqual(await shown(), ['former'])
  isRecorded = true
  assert.equal(await following.reload('SIGHUP'), 'applied')
  assert.deepEqual(await shown(), ['next'])
})
