import { readFileSync } from 'node:fs'
import { z } from 'zod'

const description = z.object({
  query_api_url: z.string(),
  identity_address: z.string().optional(),
  admin_email: z.string(),
  admin_password: z.string(),
  admin_api_key: z.string(),
})

/** The stack that this run tests, as `npm start` describes it in its stack.json. */
export const stack = description.parse(
  JSON.parse(readFileSync(process.env['OLYTIX_E2E__STACK_FILE'] ?? '', 'utf8')),
)
