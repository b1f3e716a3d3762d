package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Starts of the program: with an archive of its classes, and without the native libraries. */
class StartTest {
  private static final String MAIN = "io.github.loragraph.cli.Main";
  private static final String JAVA =
      Path.of(System.getProperty("java.home"), "bin", "java").toString();

  @TempDir Path folder;

  private Cli started(Path directory, List<String> command) throws Exception {
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().put("JAVA_HOME", folder.resolve("jdk").toString());
    builder.environment().remove("LORA_GRAPH_JAVA_OPTIONS");
    int exitCode = builder.start().waitFor();
    return new Cli(exitCode, Files.readString(out), Files.readString(err));
  }

  /** The launcher with a Java that writes down what it is asked. */
  @Nested
  class Launcher {
    private Path root;
    private Path archives;
    private Path asked;

    @BeforeEach
    void install() throws IOException {
      assumeFalse(File.separatorChar == '\\', "the launcher is a script of a Unix shell");
      root = Files.createDirectories(folder.resolve("root"));
      asked = folder.resolve("asked");
      archives = Files.createDirectories(root.resolve("cli/target/start"));
      Files.createDirectories(root.resolve("cli/src/main"));
      Files.createFile(root.resolve("pom.xml"));
      Files.createFile(root.resolve("cli/pom.xml"));
      Files.copy(Path.of("..", "lora-graph"), root.resolve("lora-graph"));
      Files.createDirectory(root.resolve("scripts"));
      Files.copy(Path.of("..", "scripts", "archive.sh"), root.resolve("scripts/archive.sh"));
      Path app = Files.createDirectories(root.resolve("cli/target/app"));
      age(Files.createFile(app.resolve("some.jar")), -60);
      age(Files.createFile(app.resolve(".built")), 3600);
      java("jdk");
    }

    private void java(String name) throws IOException {
      Path home = folder.resolve(name);
      Path java = Files.createDirectories(home.resolve("bin")).resolve("java");
      Files.writeString(home.resolve("release"), "JAVA_VERSION=\"17\"\n");
      Files.writeString(
          java,
          """
          #!/bin/sh
          printf '%%s\\n' "$*" >>'%s'
          for word in "$@"; do
            case $word in
              -XX:SharedArchiveFile=*) archive=${word#*=} ;;
              -XX:DumpLoadedClassList=*) echo a.Class >"${word#*=}" ;;
            esac
          done
          case "$*" in *-Xshare:dump*) [ ! -e '%s' ] && echo archive >"$archive" ;; esac
          """
              .formatted(asked, folder.resolve("no-dump")));
      Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static void age(Path file, int seconds) throws IOException {
      Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(seconds)));
    }

    /** What Java was asked, a line each time. */
    private List<String> run(String... words) throws Exception {
      Files.deleteIfExists(asked);
      List<String> command =
          new ArrayList<>(List.of("bash", root.resolve("lora-graph").toString()));
      command.addAll(List.of(words));
      Cli run = started(folder, command);
      List<String> lines = Files.readAllLines(asked);
      String said =
          lines.size() == 1 ? "" : "lora-graph: preparing quick starts with this Java, once ...\n";
      assertEquals(new Cli(0, "", said), run);
      return lines;
    }

    private void assertUses(boolean archive, String line) {
      assertEquals(archive, line.contains(" -XX:SharedArchiveFile=" + archives), line);
      assertEquals(archive, line.contains(" -Xlog:cds=off "), line);
    }

    private Path archive() throws IOException {
      try (Stream<Path> files = Files.list(archives)) {
        return files.filter(file -> file.toString().endsWith(".jsa")).findFirst().orElseThrow();
      }
    }

    @Test
    void makesAnArchiveOnceAndUsesIt() throws Exception {
      List<String> first = run("predict", "m", "x");
      assertEquals(3, first.size(), first::toString);
      assertTrue(first.get(0).endsWith(" io.github.loragraph.cli.Rehearsal"), first.get(0));
      assertUses(true, first.get(2));
      List<String> second = run("predict", "m", "x");
      assertEquals(List.of(first.get(2)), second);
      assertTrue(second.get(0).endsWith("/app/* " + MAIN + " predict m x"), second.get(0));
    }

    @Test
    void anotherJavaHasItsOwn() throws Exception {
      run("--help");
      Files.writeString(folder.resolve("jdk/release"), "JAVA_VERSION=\"21\"\n");
      assertEquals(3, run("--help").size());
      assertEquals(1, run("--help").size());
      Files.move(folder.resolve("jdk"), folder.resolve("jdk-21"));
      Files.createSymbolicLink(folder.resolve("jdk"), folder.resolve("jdk-21"));
      assertEquals(3, run("--help").size());
      assertEquals(1, run("--help").size());
    }

    @Test
    void jarsThatAreNewerGetANewOne() throws Exception {
      run("--help");
      age(root.resolve("cli/target/app/some.jar"), 3600);
      assertEquals(3, run("--help").size());
    }

    @Test
    void oneThatIsNotWholeOrGoneIsMadeAnewAndNeverUsed() throws Exception {
      run("--help");
      Files.writeString(archive(), "arch");
      assertEquals(3, run("--help").size());
      Files.createFile(folder.resolve("no-dump"));
      Files.delete(archive());
      assertUses(false, run("--help").get(2));
    }

    @Test
    void whereNoneCanBeMadeItIsNotTriedAgain() throws Exception {
      Files.createFile(folder.resolve("no-dump"));
      assertUses(false, run("--help").get(2));
      List<String> second = run("--help");
      assertEquals(1, second.size());
      assertUses(false, second.get(0));
    }

    @Test
    void withoutTheFolderNothingIsMade() throws Exception {
      Files.delete(archives);
      List<String> lines = run("--help");
      assertEquals(1, lines.size());
      assertUses(false, lines.get(0));
    }

    @Test
    void commandsThatAreSoonOverDoWithOneCompiler() throws Exception {
      Files.delete(archives);
      for (String line :
          List.of("-h", "--help", "help train", "train --help", "inspect m", "predict m x")) {
        assertTrue(run(line.split(" ")).get(0).contains(" -XX:TieredStopAtLevel=1 "), line);
      }
      for (String line : List.of("train m --data d", "predict m --data d", "eval m")) {
        assertFalse(run(line.split(" ")).get(0).contains("Tiered"), line);
      }
    }
  }

  private static List<String> withClassPath(String classPath, String... options) {
    List<String> command = new ArrayList<>(List.of(JAVA, "-XX:+UseSerialGC"));
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", classPath, MAIN, "--help"));
    return command;
  }

  /** The classes of this build and its libraries as the launcher has them: jars in a folder. */
  private static void install(Path app) throws IOException {
    int number = 0;
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      Path path = Path.of(entry);
      if (entry.endsWith(".jar") && Files.isRegularFile(path)) {
        link(path, app.resolve(path.getFileName()));
      } else if (Files.isDirectory(path) && !path.endsWith("test-classes")) {
        number++;
        try (JarOutputStream jar =
                new JarOutputStream(Files.newOutputStream(app.resolve(number + ".jar")));
            Stream<Path> files = Files.walk(path)) {
          files.filter(Files::isRegularFile).forEach(file -> put(path.relativize(file), file, jar));
        }
      }
    }
  }

  private static void link(Path from, Path to) throws IOException {
    try {
      Files.createSymbolicLink(to, from);
    } catch (IOException | UnsupportedOperationException e) {
      Files.copy(from, to);
    }
  }

  private static void put(Path name, Path file, JarOutputStream jar) {
    try {
      jar.putNextEntry(new JarEntry(name.toString().replace('\\', '/')));
      Files.copy(file, (OutputStream) jar);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void helpIsTheSameWithAnArchiveWithoutAndWithAllThatIsNone() throws Exception {
    Path app = Files.createDirectory(folder.resolve("app"));
    install(app);
    String classPath = app + File.separator + "*";
    Path classes = folder.resolve("classes.lst");
    Path archive = folder.resolve("classes.jsa");
    Cli plain = started(folder, withClassPath(classPath, "-XX:DumpLoadedClassList=" + classes));
    assertEquals(new Cli(0, plain.out(), ""), plain);
    assertTrue(plain.out().contains("Usage: lora-graph"), plain.out());
    Cli dump =
        started(
            folder,
            List.of(
                JAVA,
                "-Xshare:dump",
                "-XX:SharedClassListFile=" + classes,
                "-XX:SharedArchiveFile=" + archive,
                "-cp",
                classPath));
    assertEquals(0, dump.exitCode(), dump.err());
    String shared = "-XX:SharedArchiveFile=" + archive;
    Path none = Files.writeString(folder.resolve("none.jsa"), "no archive");
    Cli loaded =
        started(folder, withClassPath(classPath, shared, "-Xlog:cds=off", "-Xlog:class+load"));
    assertTrue(
        loaded.out().lines().anyMatch(l -> l.contains("cli.LoraGraph source: shared objects file")),
        "the archive is not used");
    assertFalse(loaded.out().contains("ai.onnxruntime"), "--help loads ONNX Runtime");
    assertFalse(loaded.out().contains("ai.djl"), "--help loads the tokenizers");
    assertFalse(loaded.out().contains("com.fasterxml"), "--help loads what reads JSON");
    for (List<String> command :
        List.of(
            withClassPath(classPath, shared, "-Xlog:cds=off"),
            withClassPath(classPath, shared, "-Xlog:cds=off", "-XX:-UseCompressedOops"),
            withClassPath(folder + File.pathSeparator + classPath, shared, "-Xlog:cds=off"),
            withClassPath(classPath, "-XX:SharedArchiveFile=" + none, "-Xlog:cds=off"),
            withClassPath(classPath, "-XX:SharedArchiveFile=" + folder, "-Xlog:cds=off"))) {
      assertEquals(plain, started(folder, command), () -> String.join(" ", command));
    }
    age(app);
    assertEquals(plain, started(folder, withClassPath(classPath, shared, "-Xlog:cds=off")));
  }

  /** As a copy without its times. What is linked stays as it is. */
  private static void age(Path app) throws IOException {
    try (Stream<Path> files = Files.list(app)) {
      Path jar =
          files
              .filter(file -> file.getFileName().toString().startsWith("picocli-"))
              .findFirst()
              .orElseThrow();
      byte[] content = Files.readAllBytes(jar);
      Files.delete(jar);
      Files.write(jar, content);
      Files.setLastModifiedTime(jar, FileTime.from(Instant.now().minusSeconds(60)));
    }
  }
}
