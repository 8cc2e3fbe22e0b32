import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { connectAdmin } from '../connection/admin-client.ts'
import { type CliContext, print } from '../context.ts'
import { wholeNumber } from './client/registration-options.ts'

interface LaunchAnswer {
  readonly launch: string
  readonly expires_in: number
  readonly iss: string
  readonly launch_url?: string
}

interface LaunchOptions {
  readonly url?: string
  readonly json?: boolean
  readonly client?: string
  readonly user?: string
  readonly patient?: string
  readonly encounter?: string
  readonly fhirContext?: string
  readonly intent?: string
  readonly needPatientBanner?: boolean
  readonly smartStyleUrl?: string
  readonly tenant?: string
  readonly expiresIn?: string
}

export function addLaunch(program: Command, context: CliContext): void {
  const launch = program
    .command('launch')
    .description('Launch apps as an EHR does')
    .addHelpText(
      'after',
      '\nExample:\n  scopegate launch create --client growth-chart --patient 123 --encounter 7',
    )

  launch
    .command('create')
    .description('Make a launch; it works once, for some minutes')
    .option('--client <client_id>', 'the app')
    .option('--user <id>', 'the only user who may use it')
    .option('--patient <id>', 'the patient in context')
    .option('--encounter <id>', 'the encounter in context')
    .option('--fhir-context <file>', 'a JSON array of further resources')
    .option('--intent <text>', 'what the app shall do')
    .option('--need-patient-banner', 'the app shows who the patient is')
    .option('--no-need-patient-banner', 'the EHR does')
    .option('--smart-style-url <url>', 'how the app shall look')
    .option('--tenant <text>', 'whose the data are')
    .option('--expires-in <seconds>', 'at most 300')
    .option('--url <url>', 'the server (default: the one this user started last)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  scopegate launch create --client growth-chart --patient 123
  scopegate launch create --client growth-chart --patient 123 --encounter 7 --no-need-patient-banner --json`,
    )
    .action(async (options: LaunchOptions) => {
      const members = {
        client_id: options.client,
        user: options.user,
        patient: options.patient,
        encounter: options.encounter,
        fhirContext: readFhirContext(context, options.fhirContext),
        intent: options.intent,
        need_patient_banner: options.needPatientBanner,
        smart_style_url: options.smartStyleUrl,
        tenant: options.tenant,
        expires_in: wholeNumber('--expires-in', options.expiresIn),
      }
      const admin = await connectAdmin(context, options.url, 'admin/launches.write')
      const made = await admin.call<LaunchAnswer>('POST', '/launches', members)
      const text =
        made.launch_url === undefined
          ? `iss     ${made.iss}\nlaunch  ${made.launch}\n\nThe client has no launch URL: open its own with these two, within ${made.expires_in} s.`
          : `${made.launch_url}\n\nOpen it within ${made.expires_in} s; it works once.`
      print(context, options.json === true, made, text)
    })
}

function readFhirContext(context: CliContext, file: string | undefined): unknown {
  if (file === undefined) return undefined
  try {
    return JSON.parse(readFileSync(resolve(context.cwd, file), 'utf8'))
  } catch (error) {
    throw new CliError('the fhirContext cannot be read', {
      where: file,
      why: (error as Error).message,
      fix: 'name a file that holds [{"reference": "ImagingStudy/123"}]',
    })
  }
}
