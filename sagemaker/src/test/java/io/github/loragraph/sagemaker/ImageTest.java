package io.github.loragraph.sagemaker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The image that {@code mvn -Pimage verify} has made, run as a root file system. */
@Tag("image")
class ImageTest {
  /** What the script says where this machine cannot run an image. */
  private static final int NO_NAMESPACES = 3;

  /** The folders of the build may have jars of an earlier version of a library beside the new. */
  @Test
  void hasTheLibrariesOfTheBuildAndNoOthers() throws IOException {
    Set<String> built =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .map(entry -> Path.of(entry).getFileName().toString())
            .collect(Collectors.toSet());

    try (Stream<Path> libraries =
        Files.list(Path.of("target/image/libraries/opt/lora-graph/lib"))) {
      assertEquals(
          List.of(),
          libraries
              .map(library -> library.getFileName().toString())
              .filter(name -> !built.contains(name))
              .toList());
    }
  }

  @Test
  void trainsAsAnyUserWithAReadOnlyRoot(@TempDir Path folder)
      throws IOException, InterruptedException {
    Path out = folder.resolve("out.txt");
    Process process =
        new ProcessBuilder("../scripts/image-check", "-o", folder.resolve("work").toString())
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    try {
      assertTrue(process.waitFor(5, TimeUnit.MINUTES), "the check comes to no end");
    } finally {
      process.destroyForcibly();
    }
    String said = Files.readString(out);
    System.out.print(said);

    assumeTrue(process.exitValue() != NO_NAMESPACES, said);
    assertEquals(0, process.exitValue(), said);
    assertTrue(
        said.contains("train as user 4321:4321, root read-only, no network: exit code 0"), said);
    assertTrue(
        said.contains("train as user 1000:1000, root read-only, no network: exit code 0"), said);
  }
}
