package io.github.loragraph.sagemaker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.file.ProcessLock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How jobs end that something outside of them hinders, or that another one was before. */
@Timeout(300)
class JobEndTest {
  @TempDir Path folder;

  private Container container() throws IOException {
    Container container = Container.in(folder.resolve("opt-ml"));
    container.hyperParameters(Map.of("match", "query", "epochs", "1"));
    return container;
  }

  private static String failure(Container container) throws IOException {
    return Files.readString(container.base.resolve("output/failure"));
  }

  @Test
  void aModelThatIsTrainedIsWrittenWhateverSignalComes() throws IOException, InterruptedException {
    Container container = container();
    Files.delete(container.base.resolve("checkpoints"));
    Path temporary = Files.createDirectory(folder.resolve("temporary"));
    container.javaOptions = List.of("-Djava.io.tmpdir=" + temporary);
    AtomicInteger lines = new AtomicInteger();
    // The evaluation at the end, and what the training ends with: then the model is written.
    Container.Ended ended =
        container.trainUntil(
            line -> line.contains(" validation:loss=") && lines.incrementAndGet() == 2);
    assertEquals(0, ended.code(), ended.err());
    assertTrue(Files.exists(container.base.resolve("output/data/run.json")), ended.err());
    assertTrue(Files.exists(container.base.resolve("model/adapter/adapter_config.json")));
    assertTrue(ended.err().contains("-o " + temporary), ended.err());
  }

  @Test
  void whatIsDoneButForItsMeasureIsMeasuredAndWritten() throws IOException, InterruptedException {
    Container container = Container.in(folder.resolve("opt-ml"));
    container.hyperParameters(Map.of("match", "query", "epochs", "1", "log-every", "1"));
    StringBuilder rows = new StringBuilder("sentence\tlabel\n");
    for (int i = 0; i < 4000; i++) {
      rows.append("good film the a plot very not actors\tpos\n");
    }
    container.write("input/data/validation/dev.tsv", rows.toString());
    Files.delete(container.base.resolve("checkpoints"));
    // 22 rows in batches of 8.
    Container.Ended ended = container.trainUntil(line -> line.contains(" step=3 train:"));
    assertEquals(0, ended.code(), ended.err());
    assertTrue(ended.err().contains("the last step was made: ending when"), ended.err());
    assertTrue(Files.exists(container.base.resolve("model/model.onnx")), ended.err());
  }

  @Test
  void whatLiesBesideTheModelIsSaidAndKeepsNothingBack() throws IOException {
    Container container = container();
    container.write("model/vocab.txt", "old");
    container.write("model/run.json", "old");
    container.write("input/data/model/other.onnx", "no model");
    Container.Ended ended = container.train();
    assertEquals(0, ended.code(), ended.err());
    assertTrue(ended.err().contains("stays: run.json, vocab.txt"), ended.err());
    assertTrue(ended.err().contains("the model is model.onnx; not used: other.onnx"), ended.err());
    assertTrue(Files.exists(container.base.resolve("output/data/run.json")), ended.err());
  }

  @Test
  void checkpointsBehindALinkAreRefused() throws IOException {
    Container container = container();
    assertEquals(0, container.train().code());
    Path own;
    try (Stream<Path> kept = Files.list(container.base.resolve("checkpoints"))) {
      own = kept.findFirst().orElseThrow();
    }
    Path precious = folder.resolve("precious");
    Files.move(own, precious);
    Files.writeString(precious.resolve("letter.txt"), "mine");
    Files.createSymbolicLink(own, precious);
    assertEquals(1, container.train().code());
    assertTrue(failure(container).contains("is a link"), failure(container));
    assertEquals("mine", Files.readString(precious.resolve("letter.txt")));
  }

  @Test
  void aFailureNamesNoFolderThatGoesWithTheJob() throws IOException {
    Container container = container();
    Files.delete(container.base.resolve("input/data/model/tokenizer.json"));
    assertEquals(1, container.train().code());
    assertTrue(
        failure(container)
            .startsWith(
                "no tokenizer.json beside " + container.base.resolve("input/data/model") + ", "),
        failure(container));
  }

  @Test
  void aWorkFolderOfSomebodyElseIsRefused() throws IOException {
    Container container = container();
    Path theirs = Files.createDirectory(folder.resolve("theirs"));
    Path file = Files.writeString(theirs.resolve("letter.txt"), "mine");
    Path link = Files.createSymbolicLink(container.workFolder(), theirs);
    try {
      Container.Ended ended = container.train();
      assertEquals(1, ended.code());
      assertTrue(failure(container).contains("is a link"), failure(container));
      assertEquals("mine", Files.readString(file));
    } finally {
      Files.delete(link);
    }
  }

  @Test
  void aSecondContainerLeavesTheFailuresToTheFirst() throws IOException {
    Container container = container();
    Path work = Files.createDirectories(container.workFolder());
    ProcessLock first = ProcessLock.tryLock(work.resolve(".lock")).orElseThrow();
    try {
      container.write("output/failure", "of the first");
      Container.Ended ended = container.train();
      assertEquals(1, ended.code());
      assertTrue(ended.says("another process works in"), ended.err());
      assertEquals("of the first", failure(container));
    } finally {
      first.close();
    }
    Container.Ended ended = container.train();
    assertEquals(0, ended.code(), ended.err());
    assertFalse(Files.exists(container.base.resolve("output/failure")));
  }

  @Test
  void nothingIsWrittenWhereNoJobIs() throws IOException {
    Path base = folder.resolve("nowhere");
    Container.Ended ended = Container.of(base).train();
    assertEquals(1, ended.code());
    assertTrue(ended.says("this command is for the container of a job"), ended.err());
    assertFalse(Files.exists(base));
  }

  @Test
  void aTrialWithoutTheFileOfChannelsIsHeldToTheirNames() throws IOException {
    Container container = container();
    Files.delete(container.base.resolve("input/config/inputdataconfig.json"));
    Path held = container.base.resolve("input/data/validation");
    Path other = container.base.resolve("input/data/valid");
    Files.move(held, other);
    Container.Ended misnamed = container.train();
    assertEquals(1, misnamed.code());
    assertTrue(failure(container).contains("there is a channel 'valid'"), failure(container));

    Files.move(other, folder.resolve("elsewhere"));
    Container.Ended alone = container.train();
    assertEquals(0, alone.code(), alone.err());
    assertTrue(alone.err().contains("nothing is held out"), alone.err());
  }

  @Test
  void aJavaThatDoesNotStartIsTheFailure() throws IOException {
    Container container = container();
    Path java = Files.createDirectories(folder.resolve("jdk/bin")).resolve("java");
    Files.writeString(java, "#!/bin/sh\necho 'Error: there is no memory' >&2\nexit 1\n");
    Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
    String home = System.getProperty("java.home");
    System.setProperty("java.home", folder.resolve("jdk").toString());
    try {
      assertEquals(1, container.train().code());
    } finally {
      System.setProperty("java.home", home);
    }
    assertEquals(
        "the process that prepares the model ended with exit code 1: Error: there is no memory",
        failure(container));
  }

  @Test
  void whatAJobHasNoUseForIsSaid() throws IOException {
    Container container = Container.in(folder.resolve("opt-ml"));
    container.hyperParameters(Map.of("match", "query", "epochs", "1", "alpha", "null"));
    Container.Ended first = container.train();
    assertEquals(0, first.code(), first.err());
    assertTrue(first.err().contains("null, so not set: alpha"), first.err());
    assertTrue(first.err().contains("engine: graph"), first.err());
    assertTrue(Files.exists(container.base.resolve("model/adapter")));

    // What an earlier job has left is not beside the model of another.
    container.hyperParameters(
        Map.of("match", "query", "epochs", "1", "method", "full", "rank", "4"));
    Container.Ended second = container.train();
    assertEquals(0, second.code(), second.err());
    assertTrue(second.err().contains("has no use for: "), second.err());
    for (String name : List.of("match", "rank")) {
      assertTrue(
          second.err().lines().anyMatch(line -> line.matches(".*no use for: .*" + name + ".*")),
          second.err());
    }
    assertFalse(Files.exists(container.base.resolve("model/adapter")));
  }
}
