/**
 * Text from the server as it may stand on a terminal: control characters, and those that turn the direction of
 * writing, become visible escapes, so that a name cannot forge lines or move the cursor.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
