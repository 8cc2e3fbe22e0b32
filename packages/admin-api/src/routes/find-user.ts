import type { AdminCall } from '../call.ts'
import type { UserView } from '../ports.ts'

/** A user by id or user name: no user name begins as ids do. */
export async function findUser(
  { users }: AdminCall['deps'],
  name: string,
): Promise<UserView | undefined> {
  return name.startsWith('u_') ? users?.find(name) : users?.findByUsername(name)
}
