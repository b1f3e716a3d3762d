package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.OrtRuntime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@link OutputsTest} and {@link FixedSizesTest} for the other engine. */
@Tag("training-api")
class OutputsByTheTrainingApiTest {
  @TempDir Path folder;

  @BeforeAll
  static void chooseTheBuild() {
    OrtRuntime.open(OrtRuntime.Build.TRAINING);
  }

  @ParameterizedTest
  @EnumSource(names = {"SOFTMAX", "LOG_SOFTMAX", "RESHAPE"})
  void anEndInSoftmaxTrainsLikeNone(ActivatedOutputs.End end) throws IOException {
    Path data = ReportGraph.write("47-softmax-output", folder).resolveSibling("train.jsonl");
    ActivatedOutputs.assertSame(
        folder,
        ActivatedOutputs.model(end),
        ActivatedOutputs.model(null),
        null,
        data,
        "training-api");
  }

  @Test
  void oneNumberAfterASigmoidDecidesBetweenTwoClasses() throws IOException {
    Path data = ReportGraph.write("47-softmax-output", folder).resolveSibling("train.jsonl");
    Files.writeString(data, Files.readString(data).replace("\"label\": 2", "\"label\": 1"));
    ActivatedOutputs.assertSame(
        folder,
        ActivatedOutputs.oneNumber(true, true),
        ActivatedOutputs.oneNumber(false, false),
        "classification",
        data,
        "training-api");
  }

  @Test
  void severalStepsInACallAreTheOtherEngines() throws IOException {
    Path file = ReportGraph.write("46-regression-1d", folder);
    Cli.json("inject", file, "--match", "query", "--rank", 2);
    Cli run =
        Cli.run(
            "train",
            folder.resolve("model.lora.onnx"),
            "--data",
            file.resolveSibling("train.jsonl"),
            "--steps-per-call",
            2,
            "--engine",
            "training-api",
            "-o",
            folder.resolve("run"));
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("several steps in a call (2) need the graph engine"), run.err());
    assertFalse(Files.exists(folder.resolve("run")));
  }

  @Test
  void aNumberForEachRow() throws IOException {
    Path file = ReportGraph.write("46-regression-1d", folder);
    Path data = file.resolveSibling("train.jsonl");
    Cli.json("inject", file, "--match", "query", "--rank", 2);
    for (String engine : List.of("graph", "training-api")) {
      Cli.json(
          "train",
          folder.resolve("model.lora.onnx"),
          "--data",
          data,
          "--eval",
          data,
          "--steps",
          3,
          "--batch-size",
          3,
          "--engine",
          engine,
          "-o",
          folder.resolve(engine));
    }
    assertEquals(
        Cli.json("eval", folder.resolve("graph"), "--data", data).get("loss").asDouble(),
        Cli.json("eval", folder.resolve("training-api"), "--data", data).get("loss").asDouble(),
        1e-5);
  }

  /** Found with the same build of ONNX Runtime that trains. */
  @Test
  void whatIsNotDeclaredIsInferred() throws IOException {
    Path file = ReportGraph.write("19-no-dims", folder);
    Cli.json("inject", file, "--match", "query", "--rank", 2);
    Cli.json(
        "train",
        folder.resolve("model.lora.onnx"),
        "--data",
        file.resolveSibling("train.jsonl"),
        "--steps",
        1,
        "--engine",
        "training-api",
        "-o",
        folder.resolve("run"));
  }

  @Test
  void batchesOfOneSize() throws IOException {
    Path rows = ReportGraph.write("20-all-symbolic-logits", folder.resolve("rows"));
    OnnxModel open = ReportGraph.model("20-all-symbolic-logits");
    FixedSizes.assertSameStep(
        folder,
        FixedSizes.fixed(open, 3, 9),
        open,
        FixedSizes.rows(rows.resolveSibling("train.jsonl"), 7, true),
        7,
        "training-api");
  }
}
