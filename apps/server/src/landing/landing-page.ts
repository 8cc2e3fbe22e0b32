import type { AnyCheck } from '@scopegate/checks'
import { escapeHtml } from '@scopegate/http'
import { checkItems } from './check-items.ts'
import { LANDING_STYLE } from './landing-style.ts'
import { SAMPLE_REFUSALS } from './sample-refusals.ts'

/** What the page shows. Nothing in it stems from a resource but how many there are. */
export interface LandingFacts {
  readonly url: string
  readonly fhirUrl: string
  readonly version: string
  readonly ready: boolean
  readonly storage: string
  readonly endpoints: readonly {
    readonly name: string
    readonly url: string
    readonly what: string
  }[]
  readonly clientCount: number
  readonly resourceCounts: ReadonlyMap<string, number>
  readonly hasSample: boolean
  readonly refused: {
    readonly request: string
    readonly scope: string
    readonly status: number
    readonly checks: readonly AnyCheck[]
  }
}

/** `/`: what is running, what to try, and one refused request with its explanation. No script. */
export function landingPage(facts: LandingFacts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Scopegate</title>
<style>${LANDING_STYLE}</style>
</head>
<body>
<main>
${header(facts)}
${figures(facts)}
${addresses(facts)}
${toTry(facts)}
${refusal(facts)}
</main>
<footer>Scopegate ${escapeHtml(facts.version)} · Apache-2.0 · this page holds no patient data and no script</footer>
</body>
</html>
`
}

function header({ ready, url }: LandingFacts): string {
  return `<header>
<p class="state ${ready ? 'good' : 'bad'}">${ready ? 'running' : 'not ready'}</p>
<h1>Scopegate</h1>
<p class="lead">A protected FHIR R4 server at <code>${escapeHtml(url)}</code>. It issues tokens, refuses and
filters by SMART scopes, and says why it refused.</p>
</header>`
}

function figures({ clientCount, resourceCounts, storage }: LandingFacts): string {
  const total = [...resourceCounts.values()].reduce((sum, count) => sum + count, 0)
  const largest = [...resourceCounts].sort(([, a], [, b]) => b - a).slice(0, 12)
  const most = largest[0]?.[1] ?? 1
  return `<section aria-labelledby="running">
<h2 id="running">What is running</h2>
<dl class="figures">
<div><dt>resources</dt><dd>${number(total)}</dd></div>
<div><dt>types</dt><dd>${resourceCounts.size}</dd></div>
<div><dt>clients</dt><dd>${number(clientCount)}</dd></div>
<div><dt>database</dt><dd class="small">${escapeHtml(storage)}</dd></div>
</dl>
${
  largest.length === 0
    ? '<p>The store is empty. <code>scopegate import FILE</code> fills it.</p>'
    : `<ul class="bars">
${largest
  .map(
    ([type, count]) =>
      `<li><span>${escapeHtml(type)}</span><meter min="0" max="${most}" value="${count}"></meter><b>${number(count)}</b></li>`,
  )
  .join('\n')}
</ul>`
}
</section>`
}

function addresses({ endpoints }: LandingFacts): string {
  return `<section aria-labelledby="addresses">
<h2 id="addresses">Addresses</h2>
<table>
<tbody>
${endpoints
  .map(
    ({ name, url, what }) =>
      `<tr><th scope="row">${escapeHtml(name)}</th><td><a href="${escapeHtml(url)}"><code>${escapeHtml(new URL(url).pathname)}</code></a></td><td>${escapeHtml(what)}</td></tr>`,
  )
  .join('\n')}
</tbody>
</table>
</section>`
}

function toTry({ fhirUrl: fhir, hasSample }: LandingFacts): string {
  const path = new URL(fhir).pathname
  return `<section aria-labelledby="try">
<h2 id="try">What to try</h2>
<ol class="steps">
<li><p>Make a client that may read laboratory results and nothing else. The answer holds a <code>curl</code> line that works as pasted${hasSample ? ': it counts 116 of the 231 Observations' : ''}.</p>
<pre><code>npx scopegate client add lab-reader --scopes "system/Observation.rs?category=laboratory"</code></pre></li>
<li><p>Ask without a token, and read why that is refused.</p>
<pre><code>curl -i ${escapeHtml(fhir)}/Patient</code></pre></li>
<li><p>Ask what a token would be permitted, without having one.</p>
<pre><code>npx scopegate explain --claims '{"scope":"system/Observation.r"}' GET "${escapeHtml(path)}/Observation?code=2093-3"</code></pre></li>
<li><p>Watch an app let a user sign in, choose what to allow, and get tokens: every request and answer, with what each is for.</p>
<pre><code>npx scopegate learn standalone</code></pre></li>
<li><p>Add a user${hasSample ? ', who is one of the sample patients' : ''}. The one-time password is replaced at the <a href="/account">first sign-in</a>.</p>
<pre><code>npx scopegate user add ana --fhir-user Patient/${hasSample ? 'patient-1' : 'ID'}</code></pre></li>
<li><p>Bring your own data: NDJSON, gzipped or not, or Bundles.</p>
<pre><code>npx scopegate import patients.ndjson.gz</code></pre></li>
</ol>
<p class="note">In a clone of the project, write <code>node apps/cli/bin/scopegate.mjs</code> for <code>npx scopegate</code>.</p>
</section>`
}

function refusal({ refused }: LandingFacts): string {
  return `<section aria-labelledby="refused">
<h2 id="refused">A refused request, explained</h2>
<p>Judged by this server when it drew this page, from claims instead of a token: <code>${escapeHtml(refused.request)}</code> under
the scope <code>${escapeHtml(refused.scope)}</code>. The answer: <strong class="status">${refused.status}</strong></p>
<ol class="checks">
${checkItems(refused.checks).join('\n')}
</ol>
<p class="note">The caller gets the failed check in <code>WWW-Authenticate</code> and in an OperationOutcome. You get all of them:
<code>scopegate explain --id</code> with the correlation id of any answer.</p>
<p class="note">Refused on purpose, to look at from both sides: ${Object.entries(SAMPLE_REFUSALS)
    .map(([name, what]) => `<a href="/?refused=${name}">${escapeHtml(what)}</a>`)
    .join(', ')}.</p>
</section>`
}

function number(count: number): string {
  return count.toLocaleString('en')
}
