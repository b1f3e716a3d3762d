package io.github.loragraph.cli;

import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.onnx.OnnxModel;
import java.util.List;

/** What is trained as one, and what is not trained although it was asked for. */
record SelectionNotes(OnnxModel model, TrainableSelection selection) {
  /** One line on standard error for each tied parameter, and one for all that are left. */
  void print(ResultOutput output) {
    if (!selection.untied()) {
      selection.parameters(model).stream()
          .filter(p -> !p.copies().isEmpty())
          .forEach(p -> output.say(Tied.inOneLine(p)));
    }
    List<Parameter> left = selection.left(model);
    if (!left.isEmpty()) {
      output.say(
          "not trained: %d parameters, as %s, since %s"
              .formatted(left.size(), left.get(0).name(), left.get(0).obstacle()));
    }
  }
}
