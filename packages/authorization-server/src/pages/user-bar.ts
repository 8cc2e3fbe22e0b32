import { html } from 'hono/html'
import { csrfField, type Html, type PageFrame } from './layout.ts'

/** Who is signed in, another account, and the way out: at the foot of each step after sign-in. */
export function userBar(
  { words: t }: PageFrame,
  view: { readonly base: string; readonly csrf: string; readonly userName: string },
  options: { readonly cancel?: boolean } = {},
): Html {
  const { base, csrf, userName } = view
  return html`<hr class="rule"><div class="between small"><p class="quiet">${t('common.signedInAs', { name: userName })}</p>
<div class="between"><form method="post" action="${base}/switch">${csrfField(csrf)}<button class="plain">${t('common.switchUser')}</button></form>
${options.cancel === false ? '' : html`<form method="post" action="${base}/cancel">${csrfField(csrf)}<button class="plain">${t('common.cancel')}</button></form>`}</div></div>`
}
