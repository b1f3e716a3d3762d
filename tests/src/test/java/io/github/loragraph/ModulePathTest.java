package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.loragraph.cli.LoraGraph;
import io.github.loragraph.cli.Main;
import java.io.File;
import java.io.IOException;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Programs on the module path; all other tests run on the class path. What lies there besides is
 * harmless: the JVM takes only what is required.
 */
class ModulePathTest {
  @TempDir private Path folder;

  @BeforeAll
  static void theClassesAreModules() {
    Path classes =
        Path.of(LoraGraph.class.getProtectionDomain().getCodeSource().getLocation().getPath());
    assumeTrue(
        ModuleFinder.of(classes).find("io.github.loragraph.cli").isPresent(),
        "compiled without module-info.java");
  }

  private static String modulePath() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
        .filter(entry -> !entry.contains("test-classes"))
        .filter(
            entry -> entry.endsWith(".jar") || Files.exists(Path.of(entry, "module-info.class")))
        .collect(Collectors.joining(File.pathSeparator));
  }

  private Cli run(Object... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of("-p", modulePath(), "-m", "io.github.loragraph.cli/" + Main.class.getName()));
    Stream.of(arguments).map(Object::toString).forEach(command::add);
    return started(command);
  }

  private Cli started(List<String> command) throws IOException, InterruptedException {
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    int exitCode =
        new ProcessBuilder(command)
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start()
            .waitFor();
    return new Cli(exitCode, Files.readString(out), Files.readString(err));
  }

  @Test
  void theCommandLineStarts() throws Exception {
    Cli run = run("--help");
    assertEquals(new Cli(0, run.out(), ""), run);
    assertTrue(run.out().contains("Usage: lora-graph"), run.out());
  }
}
