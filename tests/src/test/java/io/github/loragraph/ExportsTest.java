package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.check.Difference;
import io.github.loragraph.check.OrtRun;
import io.github.loragraph.check.PyTorchParameters;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.lora.LoraMerger;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.passes.TrainingNormalizer;
import io.github.loragraph.training.CrossEntropyLoss;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Encoders of many shapes, as PyTorch's exporter writes them at many operator sets, folded or not,
 * for inference or for training: logits, loss and every gradient are PyTorch's, on a padded batch,
 * a batch of one, sequences of one token, and with a row that is padding alone.
 */
class ExportsTest {
  private static final double TOLERANCE = 1e-5;
  private static final Sessions SESSIONS = new Sessions(OrtRuntime.ofThisProcess(), 2);

  static List<String> files() {
    return Export.files();
  }

  @ParameterizedTest
  @MethodSource("files")
  void allParametersTrained(String file) {
    Export export = new Export(file);
    check(export, export.model(), "full");
  }

  @ParameterizedTest
  @MethodSource("files")
  void adaptersTrained(String file) {
    Export export = new Export(file);
    check(export, export.withAdapters(), "lora");
  }

  @ParameterizedTest
  @MethodSource("files")
  void adaptersMerged(String file) {
    Export export = new Export(file);
    OnnxModel merged = LoraMerger.merge(export.withAdapters());
    checkLogits(export, merged, "lora");
  }

  private static void checkLogits(Export export, OnnxModel model, String what) {
    List<List<HostTensor>> inputs = Export.BATCHES.stream().map(export::inputs).toList();
    var outputs = OrtRun.runEach(TrainingNormalizer.withoutDropout(model), inputs, SESSIONS);
    for (int i = 0; i < inputs.size(); i++) {
      String batch = Export.BATCHES.get(i);
      float[] logits = outputs.get(i).get("logits");
      assertWithin(Difference.of(batch + " logits", export.logits(batch, what), logits));
    }
  }

  private static void check(Export export, OnnxModel model, String what) {
    checkLogits(export, model, what);
    List<List<HostTensor>> batches = new ArrayList<>();
    for (String batch : Export.BATCHES) {
      List<HostTensor> labelled = new ArrayList<>(export.inputs(batch));
      labelled.add(export.labels(batch));
      batches.add(labelled);
    }
    PyTorchParameters parameters = new PyTorchParameters(model);
    List<Gradients> gradients =
        Gradients.ofEach(model, parameters.values(), CrossEntropyLoss.plain(), batches);
    for (int i = 0; i < batches.size(); i++) {
      String batch = Export.BATCHES.get(i);
      Gradients actual = gradients.get(i);
      assertWithin(Difference.of(batch + " loss", export.loss(batch, what), actual.loss()));
      assertWithin(parameters.gradients(export.gradients(batch, what), actual.byValue()::get));
    }
  }

  private static void assertWithin(Difference difference) {
    assertTrue(difference.isWithin(TOLERANCE), difference.where());
  }
}
