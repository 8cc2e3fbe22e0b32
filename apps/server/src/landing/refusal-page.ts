import { findFailure, findReason } from '@scopegate/checks'
import { escapeHtml } from '@scopegate/http'
import { checkItems } from './check-items.ts'
import { LANDING_STYLE } from './landing-style.ts'
import { fixOf, SAMPLE_REFUSALS, type SampleRefusal } from './sample-refusals.ts'

/** `/?refused=…`: a refused request from both sides, what its caller reads and what its operator does. */
export function refusalPage(refusal: SampleRefusal): string {
  const { title, request, status, challenge, body, checks, correlationId } = refusal
  const reason = findReason(findFailure(checks)?.code)
  const fix = fixOf(refusal)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Refused: ${escapeHtml(title)} – Scopegate</title>
<style>${LANDING_STYLE}</style>
</head>
<body>
<main>
<header>
<p class="state bad">refused with ${status}</p>
<h1>${escapeHtml(title[0]!.toUpperCase() + title.slice(1))}</h1>
<p class="lead">${escapeHtml(reason?.meaning ?? 'Not permitted.')}</p>
</header>
<section aria-labelledby="request">
<h2 id="request">The request</h2>
<pre tabindex="0"><code>${escapeHtml(request)}</code></pre>
</section>
<section aria-labelledby="caller">
<h2 id="caller">What its caller reads</h2>
<pre tabindex="0"><code>${escapeHtml([`HTTP ${status}`, ...(challenge === undefined ? [] : [`WWW-Authenticate: ${challenge}`]), '', body].join('\n'))}</code></pre>
</section>
<section aria-labelledby="operator">
<h2 id="operator">What you read: every check, in order</h2>
<ol class="checks">
${checkItems(checks).join('\n')}
</ol>
${fix === undefined ? '' : `<p><strong>To do:</strong> ${escapeHtml(fix)}</p>`}
<p class="note">${
    correlationId === undefined
      ? 'Judged from claims instead of a token. The same at the command line:'
      : 'This request was really made. The same at the command line:'
  }</p>
<pre tabindex="0"><code>${escapeHtml(
    correlationId === undefined
      ? `npx scopegate explain --claims '{"scope":"system/Observation.rs?category=laboratory"}' ${request.split('\n')[0]}`
      : `npx scopegate explain --id ${correlationId}`,
  )}</code></pre>
</section>
<section aria-labelledby="others">
<h2 id="others">Others</h2>
<ul>
${Object.entries(SAMPLE_REFUSALS)
  .map(([name, what]) => `<li><a href="/?refused=${name}">${escapeHtml(what)}</a></li>`)
  .join('\n')}
<li><a href="/">back to the first page</a></li>
</ul>
</section>
</main>
<footer>This page holds no patient data, no secret and no script</footer>
</body>
</html>
`
}
