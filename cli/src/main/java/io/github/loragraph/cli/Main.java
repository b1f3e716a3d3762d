package io.github.loragraph.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine;

/** The entry point of the {@code lora-graph} launcher. */
public final class Main {
  /** What stands in an argument where its bytes were none of the locale's encoding. */
  private static final char UNDECODABLE = '\ufffd';

  private Main() {}

  public static void main(String[] args) {
    Signals.install();
    // What is printed is English, and so are its numbers, whatever digits the locale has.
    Locale.setDefault(Locale.Category.FORMAT, Locale.ROOT);
    // UTF-8 whatever the locale: what is printed is read by other programs, on other machines.
    StandardOutput results = new StandardOutput();
    PrintStream out = utf8(results);
    PrintStream err = utf8(new FileOutputStream(FileDescriptor.err));
    System.setOut(out);
    System.setErr(err);
    int code;
    try {
      code = run(out, err, args);
    } catch (Throwable e) {
      // There was no command line yet to tell it: too little memory for one, or a library lacks
      // another.
      code = failed(err, Failures.inOneLine(e));
    }
    Optional<String> loss = results.loss();
    if (code == CommandLine.ExitCode.OK && loss.isPresent()) {
      code = failed(err, "standard output cannot be written, and is not whole: " + loss.get());
    }
    System.exit(code);
  }

  private static int failed(PrintStream err, String why) {
    err.println("lora-graph: " + why);
    return CommandLine.ExitCode.SOFTWARE;
  }

  private static int run(PrintStream out, PrintStream err, String[] args) {
    CommandLine commandLine = LoraGraph.commandLine();
    commandLine.setOut(new PrintWriter(out, true, StandardCharsets.UTF_8));
    commandLine.setErr(new PrintWriter(err, true, StandardCharsets.UTF_8));
    for (int i = 0; i < args.length; i++) {
      if (args[i].indexOf(UNDECODABLE) >= 0) {
        err.printf(
            "lora-graph: argument %d is not in the locale's encoding (%s), so that it cannot be"
                + " read: use UTF-8, with LC_ALL=C.UTF-8 in the environment%n",
            i + 1, System.getProperty("sun.jnu.encoding"));
        return CommandLine.ExitCode.USAGE;
      }
    }
    return LoraGraph.execute(commandLine, args);
  }

  private static PrintStream utf8(OutputStream bytes) {
    return new PrintStream(bytes, true, StandardCharsets.UTF_8);
  }
}
