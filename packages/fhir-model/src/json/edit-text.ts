/** Replaces `text[from, to)`; an insertion where both are the same. */
export interface TextEdit {
  readonly from: number
  readonly to: number
  readonly text: string
}

/** Applies edits that do not overlap, given in ascending order. All else stays byte for byte. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  let result = ''
  let at = 0
  for (const edit of edits) {
    result += text.slice(at, edit.from) + edit.text
    at = edit.to
  }
  return result + text.slice(at)
}
