// Types of barberpro.js.

export type Status = "connecting" | "live" | "lost" | "offline";
export type QueueStatus = "open" | "paused" | "closed";
export type BookingStatus = "scheduled" | "waiting" | "next" | "serving" | "completed" | "cancelled" | "skipped";

export interface EstimatedWait { p50Minutes: number; p90Minutes: number }

export interface Cause {
  type: string;
  commandId?: string;
  bookingId?: string;
  tokenNumber?: number;
  actorRole: string;
  reason?: string;
  at: string;
}

/** What all rooms' states share; each replaces the one before. */
export interface State { room: string; epoch: number; seq: number; cause: Cause | null }

export interface PublicEntry {
  tokenNumber: number;
  status: BookingStatus;
  position: number | null;
  estimatedWait: EstimatedWait | null;
}

/** With what only the shop's staff and admins are told. */
export interface Entry extends PublicEntry {
  bookingId?: string;
  customerName?: string | null;
  services?: { serviceId: string; name: string; price: string; durationMinutes: number }[];
  durationMinutes?: number;
  joinedAt?: string;
  skipCount?: number;
  kind?: "walk_in" | "appointment" | null;
  notes?: string | null;
}

export interface QueueState extends State {
  barberId: string;
  shopId: string;
  businessDate: string;
  status: QueueStatus;
  serving: Entry | null;
  next: Entry | null;
  waiting: Entry[];
  skipped: Entry[];
  counts: { waiting: number; completed: number; cancelled: number; skipped: number };
  updatedAt: string;
}

export interface BookingState extends State {
  bookingId: string;
  shopId: string;
  barberId: string;
  tokenNumber: number | null;
  status: BookingStatus;
  position: number | null;
  aheadCount: number | null;
  estimatedWaitTime: number | null;
  estimatedWait: EstimatedWait | null;
  servingToken: number | null;
  updatedAt: string;
}

export interface DisplayedQueue {
  barberId: string;
  barberName: string;
  status: QueueStatus;
  serving: PublicEntry | null;
  next: PublicEntry | null;
  waiting: PublicEntry[];
  waitingCount: number;
  estimatedWait: EstimatedWait;
}

export interface Call { callId: string; tokenNumber: number; barberId: string; barberName: string | null; at: string }

export interface DisplayState extends State {
  shopId: string;
  shopName: string;
  queues: DisplayedQueue[];
  calls: Call[];
  serverTime: string;
}

export interface Command { type: string; commandId?: string; [field: string]: unknown }

export interface CommandResult {
  booking?: { bookingId: string; tokenNumber: number | null; status: BookingStatus; position: number | null; [field: string]: unknown };
  /** For guests and kiosks that have joined. */
  ticket?: { token: string; expiresAt: string };
  queue: { barberId: string; epoch: number; seq: number };
  /** It had happened before, and this is that result again. */
  replayed: boolean;
}

export class CommandError extends Error {
  code: string;
  temporary: boolean;
  details: Record<string, unknown>;
}

export interface Options {
  /** The server's address; the page's own by default. */
  url?: string;
  /** A token that is good now. Asked at first, when the last one is refused, and shortly before it ends. */
  token: (signal: AbortSignal) => Promise<string>;
  /** Keeps commands until they are answered; localStorage by default, unless that is closed to the page. */
  storage?: Storage | null;
  /** How often the server is asked whether what is here is still true; 5,000 by default. */
  askMs?: number;
  /** For how long a command is asked again; 600,000 by default. */
  patienceMs?: number;
}

interface Events {
  status: CustomEvent<Status>;
  answer: CustomEvent<{ command: Command; result?: CommandResult; error?: CommandError }>;
  error: CustomEvent<{ room: string; code: number; message: string; ended: boolean }>;
}

export class BarberPro extends EventTarget {
  constructor(options: Options);
  readonly url: string;
  readonly status: Status;
  /** Commands without an answer yet, those of an earlier load of the page among them. */
  readonly pending: Command[];
  watch(room: `queue:${string}`, callback: (state: QueueState) => void): () => void;
  watch(room: `booking:${string}`, callback: (state: BookingState) => void): () => void;
  watch(room: `display:${string}`, callback: (state: DisplayState) => void): () => void;
  /** Rejects with a CommandError. */
  send(command: Command): Promise<CommandResult>;
  /** Ms since 1970 when the server last proved the room's state; 0 for never. */
  heardAt(room: string): number;
  isLive(room: string): boolean;
  close(): void;
  addEventListener<Name extends keyof Events>(
    name: Name, listener: (event: Events[Name]) => void, options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    name: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions,
  ): void;
}
