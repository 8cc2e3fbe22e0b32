import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClientAddress } from '@scopegate/http'

const behind = createClientAddress((address) => address === '10.0.0.1' || address === '10.0.0.2')

test('without trusted proxies the peer is who sent it, whatever the header says', () => {
  assert.equal(createClientAddress().of('203.0.113.9', '198.51.100.7'), '203.0.113.9')
  assert.equal(behind.of('203.0.113.9', '198.51.100.7'), '203.0.113.9')
})

test('behind trusted proxies it is whom the last of them names', () => {
  assert.equal(behind.of('::ffff:10.0.0.1', '198.51.100.7'), '198.51.100.7')
  assert.equal(behind.of('10.0.0.1', '198.51.100.7, 10.0.0.2'), '198.51.100.7')
})

test('what a caller writes in front of it counts for nothing', () => {
  assert.equal(behind.of('10.0.0.1', '127.0.0.1, 198.51.100.7'), '198.51.100.7')
  assert.equal(behind.of('10.0.0.1', 'evil<script>, 198.51.100.7'), '10.0.0.1')
  assert.equal(behind.of('10.0.0.1', Array(40).fill('198.51.100.7').join()), '10.0.0.1')
})

test('a proxy that names nobody is the sender itself', () => {
  assert.equal(behind.of('10.0.0.1', undefined), '10.0.0.1')
  assert.equal(behind.of(undefined, undefined), 'unknown')
})
