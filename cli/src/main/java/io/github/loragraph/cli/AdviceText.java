package io.github.loragraph.cli;

import io.github.loragraph.cuda.Cuda;
import io.github.loragraph.error.Advice;
import io.github.loragraph.error.LoraGraphException;
import java.util.List;

/** The library's advice in the words of the command line: the one place for them. */
final class AdviceText {
  private static final String INSTALL_CUDA = "'lora-graph doctor --install cuda'";
  private static final String DOCTOR = "; 'lora-graph doctor' says more";
  private static final String ADD_HEAD = "'lora-graph add-head'";
  private static final String NAME = "--output-name NAME";

  private AdviceText() {}

  /** The message of a failure, with options and commands for what to do. */
  static String message(LoraGraphException failure) {
    return failure.message(AdviceText::of);
  }

  /** Why CUDA cannot be used and what to do; only for one that cannot. */
  static String missing(Cuda cuda) {
    String missing = cuda.missing().orElseThrow();
    return cuda.lacksBuildAlone() ? missing + ": run " + INSTALL_CUDA : missing;
  }

  /** The words for one piece of advice. */
  static String of(Advice advice) {
    List<String> arguments = advice.arguments();
    String first = arguments.isEmpty() ? "" : arguments.get(0);
    return switch (advice.remedy()) {
      case REPLACE_OUTPUT -> "choose another output, or replace it with --force";
      case REPLACE_FOLDER -> "choose another folder with -o, or replace it with --force";
      case CHOOSE_FOLDER -> "choose another folder with -o";
      case REPLACE_CHANGED -> ", or have it made anew with --force";
      case RESUME_RUN -> "go on with it: lora-graph train --resume " + ShellWord.of(first);
      case RESUME_OR_REPLACE_RUN ->
          "go on with it by --resume %s, choose another folder with -o, or replace it with --force"
              .formatted(ShellWord.of(first));
      case WAIT_FOR_RUN -> "wait until it is done, or stop it";
      case RUN_ANEW -> "delete it, and --resume begins the run anew";
      case RUN_AGAIN -> "begin another run with --config " + ShellWord.of(first);
      case TRAIN_FURTHER ->
          "train it further with 'lora-graph train --continue-from %s --epochs N'"
              .formatted(ShellWord.of(first));
      case TAKE_RUN_AS_MODEL -> "give the run itself as the model, or none";
      case GIVE_AS_IT_WAS ->
          "give %s as it was, %s and not %s, or held-out data of their own with --eval"
              .formatted(ConfigFile.option(first), arguments.get(1), arguments.get(2));
      case NAME_MODEL_OF_ADAPTER ->
          "name the model that it goes onto, with --adapter " + ShellWord.of(first);
      case GIVE_BASE_AND_ADAPTER ->
          "put it back, or name the model instead of the run, with --adapter "
              + ShellWord.of(first);
      case RUN_EXPERIMENT ->
          "run it with 'lora-graph experiment %s -o DIR'".formatted(ShellWord.of(first));
      case RUN_SEARCH -> "run it with 'lora-graph search %s -o DIR'".formatted(ShellWord.of(first));
      case CONTINUE_SEARCH ->
          "go on with it: lora-graph search FILE -o %s".formatted(ShellWord.of(first));
      case TRAIN_BY ->
          "run it with 'lora-graph train --config %s -o DIR'".formatted(ShellWord.of(first));
      case OWN_FOLDER -> "write into a folder of its own with -o FOLDER";
      case OTHER_OUTPUT -> "name another output with -o";
      case OMIT_FILE -> "leave --file out";
      case CHOOSE_FILE -> "choose with --file " + ShellWord.of(first);
      case CHOOSE_ONE_FILE -> "name one of the files, or choose with --file";

      case ADD_HEAD -> "put one on with " + ADD_HEAD;
      case ADD_HEAD_OR_NAME_OUTPUT ->
          "put a head on it with %s, or name its answer with %s".formatted(ADD_HEAD, NAME);
      case ADD_HEAD_FOR_TASK ->
          "put the head for it on an encoder with 'lora-graph add-head --task %s'".formatted(first);
      case ADD_HEAD_FOR_LABELS -> "mend the line, or make a head for these labels with " + ADD_HEAD;
      case NAME_OUTPUT -> "say which one with " + NAME;
      case NAME_OTHER_OUTPUT ->
          "name another output with %s, or export the model again".formatted(NAME);
      case NAME_DOCUMENT_MODEL ->
          "name the model that embeds its documents, with --document-model MODEL";
      case EMBED -> "'lora-graph embed' writes them, 'lora-graph eval --task embedding' measures";
      case NAME_STATES ->
          "it needs no other; if that is no head, name the output to put one on with " + NAME;
      case NAME_POOLING ->
          "say it as the model's authors do, with --pooling mean, cls, lasttoken or max";
      case INJECT -> "put some in with 'lora-graph inject', or train with --method full or head";
      case TAKE_INJECTED ->
          "name one that 'lora-graph inject' made, or a run with adapters; what was trained without any is used as it is";
      case REMOVE_OR_MERGE ->
          "take them out with 'lora-graph remove', or fold them in with 'lora-graph merge'";
      case LIST_LAYERS -> "'lora-graph inspect MODEL' lists all";
      case LIST_PARAMETERS -> "'lora-graph inspect MODEL --verbose' lists them";

      case NAME_TASK -> "name the task with --task";
      case CHOOSE_TASK -> "train it with --task " + first;
      case CHOOSE_MULTILABEL -> "add --task multilabel if a text can have several at once";
      case OMIT_TRAINABLE -> "leave out --trainable";
      case OMIT_BIASES -> "leave out --train-bias";
      case CHOOSE_PRECISION -> "train with --precision " + first;
      case CHOOSE_PRECISION_OR_RATE ->
          "train again with --precision %s, or with --lr %s or lower"
              .formatted(first, arguments.get(1));
      case LOWER_RATE ->
          "train again with --lr %s or lower, or a longer --warmup-steps".formatted(first);
      case FIND_ROW -> "'lora-graph eval' names the row";
      case TRAIN_ON ->
          "train on %s with --max-train-examples, or export the model with an open batch axis"
              .formatted(first);
      case KEEP_ALL -> "leave out --recompute";
      case OMIT_ENGINE -> "leave out --engine " + first;
      case GRAPH_ENGINE_OR_CPU -> "use --engine graph, or --device cpu";
      case SMALLER_SHAPE -> "take a smaller --batch-size or --sequence";

      case NAME_COLUMN_OR_HEADING ->
          "name one with %s, or put a heading there".formatted(column(first));
      case NAME_COLUMN, NAME_FIELD -> "name one with " + column(first);
      case NAME_LABEL_COLUMN -> "mend the line, or name the column or field with --label-column";
      case NAME_OTHER_COLUMNS ->
          "name others with --text-column, --text-pair-column or --label-column";
      case CHECK_LABEL_COLUMN -> "is that column the right one? (--label-column)";
      case GIVE_TOKENS -> "give pre-tokenized JSON lines";
      case GIVE_WORDS -> "give its words, as a .conll file or JSON lines with 'tokens'";
      case LESS_OVERLAP ->
          "give %s or less with --stride, or more with --max-length".formatted(first);
      case ADD_TOKENIZER_OR_GIVE_TOKENS -> "put it there, or give pre-tokenized JSON lines";
      case ALLOW_MORE_TOKENS -> "give more with --max-length";
      case ALLOW_FEWER_TOKENS -> "give at most %s with --max-length".formatted(first);
      case CUT_OR_ALLOW_MORE_TOKENS -> "cut it, or raise --max-length";

      case USE_CPU -> "use --device cpu";
      case OR_USE_CPU -> ", or use --device cpu" + DOCTOR;
      case INSTALL_CUDA_BUILD_OR_USE_CPU ->
          "run %s, or use --device cpu".formatted(INSTALL_CUDA) + DOCTOR;
      case REINSTALL_CUDA_BUILD -> "delete its folder, and run %s again".formatted(INSTALL_CUDA);
      case REINSTALL_OR_USE_CPU -> "install it again, or use --device cpu" + DOCTOR;
      case SEE_WHAT_GPU_LACKS -> "'lora-graph doctor' says what is missing";
    };
  }

  private static String column(String role) {
    return "--%s-column".formatted(role.replace(' ', '-'));
  }
}
