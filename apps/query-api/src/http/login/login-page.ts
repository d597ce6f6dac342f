import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** What `/login` answers. */
export interface LoginPage {
  readonly html: string
  /** Runs and styles what stands in the page, by its hash, and nothing else. */
  readonly contentSecurityPolicy: string
}

const FOLDER = new URL('../../../pages/login/', import.meta.url)

/** The page with its style and its script put in place, so that it is one answer and a policy of two hashes. */
export function readLoginPage(): LoginPage {
  const [html, css, script] = ['login.html', 'login.css', 'login.js'].map((name) =>
    readFileSync(new URL(name, FOLDER), 'utf8'),
  )
  if (html === undefined || css === undefined || script === undefined) throw new Error('no page')
  const withStyle = put(html, '<link rel="stylesheet" href="login.css" />', `<style>${css}</style>`)
  return {
    html: put(
      withStyle,
      '<script type="module" src="login.js"></script>',
      `<script type="module">${script}</script>`,
    ),
    contentSecurityPolicy: [
      "default-src 'none'",
      `script-src '${hashOf(script)}'`,
      `style-src '${hashOf(css)}'`,
      "connect-src 'self'",
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ].join('; '),
  }
}

function put(html: string, place: string, content: string): string {
  const parts = html.split(place)
  if (parts.length !== 2) throw new Error(`the page must have one ${place}`)
  return parts.join(content)
}

/** CSP level 3, section 2.3.1. */
function hashOf(content: string): string {
  return `sha256-${createHash('sha256').update(content).digest('base64')}`
}
