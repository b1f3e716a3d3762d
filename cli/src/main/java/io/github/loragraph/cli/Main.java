package io.github.loragraph.cli;

import io.github.loragraph.file.AtomicFile;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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
    int code;
    try {
      code = run(out, err, args);
    } catch (Throwable e) {
      // There was no command line yet to tell it: too little memory for one, or a library lacks
      // another.
      err.println("lora-graph: " + Failures.inOneLine(e));
      code = CommandLine.ExitCode.SOFTWARE;
    }
    if (out.checkError()) {
      int lost = lost(err);
      code = code == CommandLine.ExitCode.OK ? lost : code;
    }
    System.exit(code);
  }

  /**
   * What was printed has not gone where it should: a stream does not say why, another byte does.
   */
  private static int lost(PrintStream err) {
    String why = "a part is lost";
    try (FileOutputStream out = new FileOutputStream(FileDescriptor.out)) {
      out.write('\n');
    } catch (IOException e) {
      why = AtomicFile.reason(e);
      if (isPipe() || why.toLowerCase(Locale.ROOT).contains("pipe")) {
        // A reader that has gone had what it wanted.
        return CommandLine.ExitCode.OK;
      }
    }
    err.println("lora-graph: standard output is not whole: " + why);
    return CommandLine.ExitCode.SOFTWARE;
  }

  /** Where the system tells: its word for a pipe without a reader is of its language. */
  private static boolean isPipe() {
    try {
      return Files.readSymbolicLink(Path.of("/proc/self/fd/1")).toString().startsWith("pipe:");
    } catch (IOException | UnsupportedOperationException e) {
      return false;
    }
  }

  private static int run(PrintStream out, PrintStream err, String[] args) {
    for (int i = 0; i < args.length; i++) {
      if (args[i].indexOf(UNDECODABLE) >= 0) {
        err.printf(
            "lora-graph: argument %d is not in the locale's encoding (%s), so that it cannot be"
                + " read: use UTF-8, with LC_ALL=C.UTF-8 in the environment%n",
            i + 1, System.getProperty("sun.jnu.encoding"));
        return CommandLine.ExitCode.USAGE;
      }
    }
    ArgumentFiles words = new ArgumentFiles(args);
    CommandLine commandLine = LoraGraph.commandLine(words);
    commandLine.setOut(new PrintWriter(out, true, StandardCharsets.UTF_8));
    commandLine.setErr(new PrintWriter(err, true, StandardCharsets.UTF_8));
    return LoraGraph.execute(commandLine, words);
  }

  private static PrintStream utf8(FileDescriptor descriptor) {
    return new PrintStream(new FileOutputStream(descriptor), true, StandardCharsets.UTF_8);
  }
}
