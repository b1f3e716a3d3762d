package io.github.loragraph.cli;

import io.github.loragraph.error.LoraGraphException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
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
    PrintStream out = utf8(FileDescriptor.out);
    PrintStream err = utf8(FileDescriptor.err);
    System.setOut(out);
    System.setErr(err);
    CommandLine commandLine = commandLine(err);
    commandLine.setOut(new PrintWriter(out, true, StandardCharsets.UTF_8));
    commandLine.setErr(new PrintWriter(err, true, StandardCharsets.UTF_8));
    for (int i = 0; i < args.length; i++) {
      if (args[i].indexOf(UNDECODABLE) >= 0) {
        err.printf(
            "lora-graph: argument %d is not in the locale's encoding (%s), so that it cannot be"
                + " read: use UTF-8, with LC_ALL=C.UTF-8 in the environment%n",
            i + 1, System.getProperty("sun.jnu.encoding"));
        System.exit(CommandLine.ExitCode.USAGE);
      }
    }
    System.exit(LoraGraph.execute(commandLine, args));
  }

  /** A library that lacks another has to be told, whatever was asked for. */
  private static CommandLine commandLine(PrintStream err) {
    try {
      return LoraGraph.commandLine();
    } catch (LoraGraphException e) {
      err.println("lora-graph: " + Failures.inOneLine(e));
      System.exit(CommandLine.ExitCode.SOFTWARE);
      throw e;
    }
  }

  private static PrintStream utf8(FileDescriptor descriptor) {
    return new PrintStream(new FileOutputStream(descriptor), true, StandardCharsets.UTF_8);
  }
}
