package io.github.loragraph.rewrite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainingFormTest {
  private static final long SEED = 20240607;

  @ParameterizedTest
  @CsvSource({
    "tiny-bert, 5, 2, 0, 12",
    "tiny-roberta, 5, 2, 0, 12",
    "tiny-roberta-noconstfold, 5, 2, 0, 12",
    "tiny-roberta-training-export, 5, 2, 0, 12",
    "tiny-roberta-opset17, 0, 2, 0, 12",
    "tiny-xlm-roberta, 5, 2, 0, 12"
  })
  void outputsStayTheSame(String folder, int layerNorms, int gelus, int dropouts, int linears)
      throws Exception {
    OnnxModel model = OnnxFile.read(fixture(folder));
    TrainingForm.Result form = TrainingForm.of(model, Set.of(), new SessionShapeInference());
    Map<String, Integer> operators = Runs.operators(form.model().graph());
    if (System.getenv("DUMP") != null) {
      System.out.println(folder + " " + form.recognised() + " " + operators);
      OnnxFile.write(form.model(), Path.of(System.getenv("DUMP"), folder + ".onnx"), true);
    }
    Random random = new Random(SEED);
    for (int[] size : new int[][] {{3, 9}, {1, 1}, {2, 30}, {1, 7}}) {
      Map<String, Tensor> inputs = Runs.tokens(model, random, size[0], size[1]);
      Runs.assertSame(
          Runs.run(model, inputs), Runs.run(form.model(), inputs), 1e-6, "seed " + SEED);
    }
    assertEquals(GraphBuilder.OPSET, form.model().opset());
    assertEquals(layerNorms, form.recognised().get("LayerNormPattern"));
    assertEquals(5, operators.get("LayerNormalization"));
    assertEquals(gelus, form.recognised().get("GeluPattern"));
    assertEquals(gelus, operators.get("Gelu"));
    assertEquals(dropouts, form.recognised().get("DropoutRemoval"));
    assertEquals(linears, form.recognised().get("LinearAsGemm"));
    assertTrue(!operators.containsKey("Constant") && !operators.containsKey("Identity"));
  }

  private static Path fixture(String folder) throws Exception {
    return Path.of(
        TrainingFormTest.class.getResource("/fixtures/" + folder + "/model.onnx").toURI());
  }
}
