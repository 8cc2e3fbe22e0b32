#!/usr/bin/env node
// Plain JavaScript for any Node >= 18: finds a Node that is new enough and runs the command with
// it, from source inside the workspace and from dist when installed.
import { existsSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { chooseNode } from './choose-node.mjs'
import { runNode } from './run-node.mjs'

const here = fileURLToPath(import.meta.url)
const source = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const built = fileURLToPath(new URL('../dist/main.js', import.meta.url))
// Node does not strip types under node_modules, so an installed package never runs from source.
const fromSource = !/[\\/]node_modules[\\/]/.test(here) && existsSync(source)

const node = chooseNode(import.meta.url)
if ('problem' in node) {
  process.stderr.write(`${node.problem}\n`)
  process.exit(1)
}
if (node.path === process.execPath && (!fromSource || hasSourceCondition())) {
  // Types are stripped and code is compiled once: the next start takes a third less.
  if (fromSource) {
    module.enableCompileCache?.(
      fileURLToPath(new URL('../../../node_modules/.cache/scopegate', import.meta.url)),
    )
  }
  await import(pathToFileURL(fromSource ? source : built).href)
} else {
  runNode(node.path, [
    ...(fromSource ? ['--conditions=source'] : []),
    here,
    ...process.argv.slice(2),
  ])
}

function hasSourceCondition() {
  return process.execArgv.some((argument) => /^(--conditions=|-C)source$/.test(argument))
}
