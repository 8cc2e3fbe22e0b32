/** What passwords are made of first: lower case, letters, four and more. */
export const COMMON_WORDS: readonly string[] = `
password passwort passwd qwerty qwertz azerty welcome letmein admin administrator
`
  .trim()
  .split(/\s+/)
