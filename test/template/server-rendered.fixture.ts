import {
  type ArgumentsHost,
  Body,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  Header,
  Module,
  Post,
  Redirect,
  Res,
  UseFilters,
} from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { deliver } from '../../src/accounts/sign-ins/carriers.js';
import { CredentialRequiredError, InvalidCredentialError } from '../../src/auth/auth.errors.js';
import { Authenticated, Public } from '../../src/auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../src/auth/current-principal.decorator.js';
import type { Principal } from '../../src/auth/principal.js';
import { Order } from '../../src/examples/orders/order.entity.js';
import { CreateOrder } from '../../src/examples/orders/orders.schemas.js';
import { OrdersService } from '../../src/examples/orders/orders.service.js';
import { CsrfToken, PresentedSessions } from '../../src/modes/sessions/session-cookie.js';
import { SessionsModule } from '../../src/modes/sessions/sessions.module.js';
import { SessionRequest } from '../../src/modes/sessions/sessions.schemas.js';
import { SessionsService } from '../../src/modes/sessions/sessions.service.js';
import { AcceptBody, FORM_TYPE } from '../../src/web/http/accept-body.decorator.js';
import { formOf } from '../../src/web/http/bodies.js';
import type { Fixture } from '../support/in-process.js';

// The code of docs/server-rendered.md.

const PlaceOrder = CreateOrder.extend({ quantity: z.coerce.number().int().min(1), csrfToken: z.string() });
type PlaceOrder = z.infer<typeof PlaceOrder>;

const HTML = 'text/html; charset=utf-8';
const PAGE_CSP =
  "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** A form cannot send a header, so its hidden field takes the place of the header. */
function acceptCsrfFields(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('preHandler', (request, _reply, done) => {
    if (request.body instanceof URLSearchParams)
      request.headers['x-csrf-token'] ??= request.body.get('csrfToken') ?? undefined;
    done();
  });
}

/** A person who is not signed in gets the page to sign in, and no problem answer. */
@Catch(CredentialRequiredError, InvalidCredentialError)
class ToSignIn implements ExceptionFilter {
  catch(_error: unknown, host: ArgumentsHost): void {
    void host.switchToHttp().getResponse<FastifyReply>().redirect('/sign-in', 303);
  }
}

@Controller()
@UseFilters(ToSignIn)
class PagesController {
  constructor(
    private readonly orders: OrdersService,
    private readonly sessions: SessionsService,
  ) {}

  @Get('orders')
  @Authenticated({ modes: ['session'], scopes: ['orders:read'] })
  @Header('Content-Type', HTML)
  @Header('Content-Security-Policy', PAGE_CSP)
  @Header('Referrer-Policy', 'same-origin')
  async list(@CurrentPrincipal() principal: Principal, @CsrfToken() csrfToken: string): Promise<string> {
    const orders = await this.orders.list(principal.subject, { limit: 20 });
    return `<!doctype html><title>Orders</title>
<ul>${orders.map(({ item }) => `<li>${escaped(item)}</li>`).join('')}</ul>
<form method="post" action="/orders">
  <input type="hidden" name="csrfToken" value="${csrfToken}">
  <label>Item <input name="item" required></label>
  <label>Quantity <input name="quantity" type="number" value="1"></label>
  <button>Order</button>
</form>`;
  }

  @Post('orders')
  @Authenticated({ modes: ['session'], scopes: ['orders:write'] })
  @AcceptBody({ as: 'form', types: [FORM_TYPE] })
  @Redirect('/orders', 303)
  async place(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: formOf(PlaceOrder) }) { item, quantity }: PlaceOrder,
  ): Promise<void> {
    await this.orders.create(principal.subject, { item, quantity });
  }

  @Get('sign-in')
  @Public()
  @Header('Content-Type', HTML)
  @Header('Content-Security-Policy', PAGE_CSP)
  @Header('Referrer-Policy', 'same-origin')
  signInPage(): string {
    return `<!doctype html><title>Sign in</title>
<form method="post" action="/sign-in">
  <label>Email <input name="email" type="email" autocomplete="username" required></label>
  <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
  <button>Sign in</button>
</form>`;
  }

  @Post('sign-in')
  @Public({ sameOrigin: true })
  @AcceptBody({ as: 'form', types: [FORM_TYPE] })
  @Redirect('/orders', 303)
  async signIn(
    @Body({ schema: formOf(SessionRequest) }) body: SessionRequest,
    @PresentedSessions() presented: string[],
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    deliver(reply, await this.sessions.signIn(body, presented));
  }
}

/** Text of a person in HTML. A template engine does this by itself. */
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);

@Module({
  imports: [TypeOrmModule.forFeature([Order]), SessionsModule],
  controllers: [PagesController],
  providers: [OrdersService],
})
class PagesModule {}

export const pages: Fixture = { modules: [PagesModule], configure: acceptCsrfFields };
