// A mail server that accepts everything, or refuses it, and keeps what it got.

export interface SmtpServer extends Disposable {
  readonly port: number;
  readonly mails: readonly Mail[];
  /** Lines that clients said, without the mails. */
  readonly said: readonly string[];
}

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  /** Headers and text, as they came. */
  readonly data: string;
}

interface Session {
  text: string;
  from: string;
  to: string[];
  data: string | undefined;
}

interface Answers {
  /** What recipients are answered, such as `550 no such user`. */
  readonly refusal?: string;
  /** This recipient alone. */
  readonly only?: string;
  /** What a mail that is kept is answered. */
  readonly kept?: string;
}

export function smtpServer({ refusal, only, kept = "250 kept" }: Answers = {}): SmtpServer {
  const mails: Mail[] = [];
  const said: string[] = [];
  const server = Bun.listen<Session>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        socket.data = { text: "", from: "", to: [], data: undefined };
        socket.write("220 test ESMTP\r\n");
      },
      data(socket, bytes) {
        const session = socket.data;
        session.text += bytes.toString();
        for (let end = session.text.indexOf("\r\n"); end >= 0; end = session.text.indexOf("\r\n")) {
          const line = session.text.slice(0, end);
          session.text = session.text.slice(end + 2);
          const answer = answerTo(session, line);
          if (answer !== undefined) socket.write(`${answer}\r\n`);
        }
      },
    },
  });

  function answerTo(session: Session, line: string): string | undefined {
    if (session.data !== undefined) {
      if (line !== ".") {
        session.data += `${line.replace(/^\./, "")}\n`;
        return undefined;
      }
      mails.push({ from: session.from, to: session.to, data: session.data });
      session.data = undefined;
      session.to = [];
      return kept;
    }
    said.push(line);
    const [word = ""] = line.toUpperCase().split(" ");
    switch (word) {
      case "EHLO":
        return "250-test\r\n250 AUTH PLAIN";
      case "AUTH":
        return "235 welcome";
      case "MAIL":
        session.from = /<(.*?)>/.exec(line)?.[1] ?? "";
        return "250 ok";
      case "RCPT":
        if (refusal !== undefined && line.includes(only ?? "")) return refusal;
        session.to.push(/<(.*?)>/.exec(line)?.[1] ?? "");
        return "250 ok";
      case "DATA":
        session.data = "";
        return "354 go on";
      case "QUIT":
        return "221 bye";
      default:
        return "250 ok";
    }
  }

  return { port: server.port, mails, said, [Symbol.dispose]: () => server.stop(true) };
}
