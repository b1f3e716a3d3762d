package io.github.loragraph.cli;

import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.onnx.OnnxModel;
import java.util.List;

/** What is trained as one, and what is not trained although it was asked for. */
record SelectionNotes(OnnxModel model, TrainableSelection selection) {
  /** One line on standard error for each tied parameter, and one for all that are left. */
  void print(ResultOutput output) {
    List<Parameter> tied =
        new TrainableSelection(selection.method(), selection.also(), selection.biases())
            .parameters(model).stream().filter(p -> !p.copies().isEmpty()).toList();
    if (!selection.untied()) {
      tied.forEach(p -> output.say(Tied.inOneLine(p)));
    } else if (tied.isEmpty()) {
      output.say("--untie changes nothing: no weight that is trained is tied");
    }
    List<Parameter> left = selection.left(model);
    if (!left.isEmpty()) {
      output.say(
          "not trained: %d parameters, as %s, since %s"
              .formatted(left.size(), left.get(0).name(), left.get(0).obstacle()));
    }
  }
}
