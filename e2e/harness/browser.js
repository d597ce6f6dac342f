import { Visitor } from './visitor.js'

// What BROWSER can name: `node browser.js <account | -> <address>` signs in there, or turns back at the login page.
const [account = '', address = ''] = process.argv.slice(2)
const visitor = new Visitor()
const callback =
  account === '-' ? await visitor.cancel(address) : await visitor.signIn(address, account)
const answer = await visitor.visit(callback)
const location = answer.headers.get('location')
if (location === null) throw new Error(`the callback answers ${String(answer.status)}`)
await visitor.visit(location)
