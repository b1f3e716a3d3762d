package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.cli.LoraGraph;
import io.github.loragraph.cli.Main;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.spi.ToolProvider;
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
  private static final String JAVA =
      Path.of(System.getProperty("java.home"), "bin", "java").toString();

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
    command.add(JAVA);
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
            .directory(folder.toFile())
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

  @Test
  void bothEnginesTakeAStep() throws Exception {
    Cli run = run("doctor", "--json");
    assertEquals(0, run.exitCode(), run.err());
    JsonNode engines = new ObjectMapper().readTree(run.out()).get("engines");
    for (String engine : List.of("graph", "training-api")) {
      boolean works = false;
      for (JsonNode row : engines) {
        works |=
            row.get("engine").asText().equals(engine)
                && row.get("device").asText().equals("cpu")
                && row.get("works").asBoolean();
      }
      assertTrue(works, engine + ": " + engines);
    }
  }

  /** The README's class as a module that requires the front door alone: it trains and predicts. */
  @Test
  void aProgramRequiresTheFrontDoorAlone() throws Exception {
    String readme = Files.readString(Path.of("..", "README.md"));
    int start = readme.indexOf("```java\n") + "```java\n".length();
    String program = readme.substring(start, readme.indexOf("```", start));
    Path source = Files.createDirectory(folder.resolve("source"));
    Path intents = Files.createDirectory(source.resolve("intents"));
    Files.writeString(intents.resolve("Intents.java"), "package intents;\n" + program);
    Files.writeString(
        source.resolve("module-info.java"), "module intents { requires io.github.loragraph; }");
    Path classes = folder.resolve("classes");
    List<String> javac = new ArrayList<>();
    javac.addAll(List.of("-p", modulePath(), "-d", classes.toString()));
    javac.add(source.resolve("module-info.java").toString());
    javac.add(intents.resolve("Intents.java").toString());
    StringWriter said = new StringWriter();
    PrintWriter writer = new PrintWriter(said);
    int compiled =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(writer, writer, javac.toArray(String[]::new));
    assertEquals(0, compiled, said.toString());
    String path = classes + File.pathSeparator + modulePath();
    Cli run = started(List.of(JAVA, "-p", path, "-m", "intents/intents.Intents"));
    assertEquals("delivery\ninvoice\n", run.out().replace("\r", ""), run.err());
    assertEquals(0, run.exitCode(), run.err());
  }
}
