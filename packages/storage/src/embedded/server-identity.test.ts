import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Account, asIdentity, chooseIdentity, type ServerIdentity } from './server-identity.ts'

const ACCOUNTS: readonly Account[] = [
  { name: 'root', uid: 0, gid: 0 },
  { name: 'nobody', uid: 65534, gid: 65534 },
  { name: 'postgres', uid: 101, gid: 104 },
  { name: 'ada', uid: 1000, gid: 1000 },
]
const NAMESPACE: ServerIdentity = { kind: 'namespace', unshare: '/usr/bin/unshare', uid: 65534 }

const choose = (question: Partial<Parameters<typeof chooseIdentity>[0]>) =>
  chooseIdentity({
    uid: 0,
    accounts: ACCOUNTS,
    clusterUid: undefined,
    folderUid: 0,
    unshare: '/usr/bin/unshare',
    works: () => true,
    ...question,
  })

test('an ordinary user runs it as itself', () => {
  assert.deepEqual(choose({ uid: 1000 }), { kind: 'self' })
})

test('a user without a name takes one in a namespace', () => {
  assert.deepEqual(choose({ uid: 4242 }), NAMESPACE)
})

test('root runs it in a namespace', () => {
  assert.deepEqual(choose({}), NAMESPACE)
})

test('root runs the data of an ordinary user as that user', () => {
  const ada = { kind: 'user', name: 'ada', uid: 1000, gid: 1000 }
  assert.deepEqual(choose({ clusterUid: 1000 }), ada)
})

test('without namespaces root gives a fresh directory to the folder owner, else to an account', () => {
  const works = ({ kind }: ServerIdentity) => kind !== 'namespace'
  assert.deepEqual(choose({ works, folderUid: 1000 }), {
    kind: 'user',
    name: 'ada',
    uid: 1000,
    gid: 1000,
  })
  assert.deepEqual(choose({ unshare: undefined }), {
    kind: 'user',
    name: 'postgres',
    uid: 101,
    gid: 104,
  })
})

test('nothing is given away that root owns already', () => {
  assert.equal(choose({ clusterUid: 0, works: ({ kind }) => kind === 'user' }), undefined)
})

test('nobody ever runs it as root', () => {
  const seen: ServerIdentity[] = []
  for (const uid of [0, 4242]) {
    for (const clusterUid of [undefined, 0, 1000, 4711]) {
      for (const folderUid of [0, 1000]) {
        const works = (identity: ServerIdentity) => {
          seen.push(identity)
          return false
        }
        assert.equal(choose({ uid, clusterUid, folderUid, works }), undefined)
      }
    }
  }
  for (const identity of seen) if (identity.kind !== 'self') assert.notEqual(identity.uid, 0)
  assert.ok(seen.length > 0)
})

test('the command line carries the identity', () => {
  assert.deepEqual(asIdentity(NAMESPACE, '/bin/postgres', ['-D', '/data']), {
    command: '/usr/bin/unshare',
    args: ['--user', '--map-user=65534', '--', '/bin/postgres', '-D', '/data'],
    options: {},
  })
})
