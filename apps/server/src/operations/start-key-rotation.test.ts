import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startKeyRotation } from './start-key-rotation.ts'

const rotation = { kid: 'b', retired: 'a' }

function setUp(days: number, answers: (() => Promise<typeof rotation | undefined>)[]) {
  const asked: number[] = []
  const rotated: unknown[] = []
  const errors: unknown[] = []
  const stop = startKeyRotation({
    keys: {
      async rotateIfOlder(seconds) {
        asked.push(seconds)
        return answers.shift()?.()
      },
    },
    days,
    everyMs: 5,
    onRotated: (each) => void rotated.push(each),
    onError: (error) => void errors.push(error),
  })
  return { asked, rotated, errors, stop }
}
const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2))
}

test('keys are looked at when the server starts and again and again, also after a failure', async () => {
  const at = setUp(90, [
    async () => rotation,
    async () => Promise.reject(new Error('down')),
    async () => rotation,
  ])
  await until(() => at.rotated.length === 2)
  await at.stop()
  const count = at.asked.length
  assert.ok(at.asked.every((seconds) => seconds === 90 * 86_400))
  assert.equal(at.errors.length, 1)
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(at.asked.length, count, 'nothing goes on after the end')
})

test('0 days is never', async () => {
  const at = setUp(0, [async () => rotation])
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.deepEqual(at.asked, [])
  await at.stop()
})
