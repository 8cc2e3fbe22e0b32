import type { LabUser } from './lab-user.ts'

/** The page on which somebody chooses whom to sign in as. Works without JavaScript. */
export function chooserPage(label: string, users: readonly LabUser[], here: URL): string {
  const choices = users.map((user) => {
    const url = new URL(here)
    url.searchParams.set('lab_user', user.id)
    const address = escaped(`${url.pathname}${url.search}`)
    return `<li><a id="lab-user-${escaped(user.id)}" href="${address}">${escaped(user.name)}</a> <small>${escaped(user.email)}</small></li>`
  })
  return page(
    `Sign in – lab ${label}`,
    `<p>A lab provider in the manner of ${escaped(label)}. There are no passwords: choose whom to be.</p>
<ul>${choices.join('\n')}</ul>`,
  )
}

/** A page for what has no address to go back to. */
export function errorPage(message: string): string {
  return page('Not signed in', `<p>${escaped(message)}</p>`)
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem}li{margin:.75rem 0}a{font-size:1.1rem}</style>
</head><body><main><h1>${escaped(title)}</h1>
${body}</main></body></html>
`
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
