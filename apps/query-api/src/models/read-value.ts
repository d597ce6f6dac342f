import { sql, trusted } from '@olytix/postgres'
import { z } from 'zod'
import type { StepContext } from './run-step.js'

const valueRow = z.object({ value: z.coerce.number().nullable() })

/** The number that a SELECT of the project gives as `value`, in a transaction that can change nothing. */
export async function readValue(
  { builder, signal }: StepContext,
  select: string,
): Promise<number | null> {
  return builder.transaction(async (transaction) => {
    await transaction.execute(sql`select set_config('transaction_read_only', 'on', true)`)
    const row = await transaction.maybeOne(valueRow, trusted(select))
    return row?.value ?? null
  }, signal)
}
