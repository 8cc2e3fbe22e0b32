/** How every service meets HTTP. */
export type Handler = (request: Request) => Promise<Response> | Response
