package io.github.loragraph.experiment;

import io.github.loragraph.ort.OrtRuntime;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How a class is run by another process, with the libraries and the memory that this one has. */
public final class JavaCommand {
  /** Tells a process that the one that started it hears the terminal's signals for both. */
  private static final String CHILD = "-Dlora-graph.child=true";

  /** Beside the launcher's archive of classes, which goes to other processes as well. */
  private static final String QUIET_ARCHIVE = "-Xlog:cds=off";

  private JavaCommand() {}

  /**
   * The command.
   *
   * @param main whose module path is used where it lies in a module
   */
  public static List<String> of(Class<?> main, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:MaxDirectMemorySize=1t", "-Xshare:auto"));
    // The limit of the heap among them, and what the user had to give to have anything run.
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(JavaCommand::isForAll)
        .forEach(command::add);
    command.add(CHILD);
    OrtRuntime.given()
        .forEach((property, value) -> command.add("-D%s=%s".formatted(property, value)));
    String classPath = System.getProperty("java.class.path", "");
    if (!classPath.isEmpty()) {
      command.addAll(List.of("-cp", classPath));
    }
    Module module = main.getModule();
    if (module.isNamed()) {
      command.addAll(List.of("-p", System.getProperty("jdk.module.path")));
      command.addAll(List.of("-m", module.getName() + "/" + main.getName()));
    } else {
      command.add(main.getName());
    }
    command.addAll(arguments);
    return command;
  }

  /** What is said of one process alone: its debugger, its files, its garbage collector. */
  private static boolean isForAll(String argument) {
    return argument.startsWith("-Djava.io.tmpdir=")
        || argument.startsWith("-X")
            && !argument.startsWith("-Xrun")
            && (!argument.startsWith("-Xlog") || argument.equals(QUIET_ARCHIVE))
            && !argument.contains("GC")
            && !argument.matches("-XX:(?:ErrorFile|HeapDumpPath|LogFile|MaxDirectMemorySize)=.*");
  }
}
