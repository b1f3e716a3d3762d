package io.github.loragraph.error;

/**
 * What can be done about a failure where that depends on what one works with: a Java program calls
 * a method, the command line gives an option. What is the same for both ("mend the line") stands in
 * the message itself. Each constant's words name its {@linkplain Advice#arguments() arguments} as
 * {@code %s}.
 */
public enum Remedy {
  // Files.
  REPLACE_OUTPUT("choose another output, or let it be replaced"),
  REPLACE_FOLDER("choose another folder, or let it be replaced"),
  CHOOSE_FOLDER("choose another folder"),
  REPLACE_CHANGED(", or let what has changed be made anew"),
  /** The folder of the run. */
  RESUME_RUN("resume the run in %s"),
  /** The folder of the run. */
  RESUME_OR_REPLACE_RUN("resume the run in %s, choose another folder, or let it be replaced"),
  WAIT_FOR_RUN("wait until it is done, or stop it"),
  RUN_ANEW("delete it, and resuming begins the run anew"),
  /** The file of the run's configuration. */
  RUN_AGAIN("begin another run with the settings in %s"),
  /** The folder of the run. */
  TRAIN_FURTHER("train its model further in another run, by Model.open and continueFrom of %s"),
  /** The folder of the run. */
  TAKE_RUN_AS_MODEL("take the run itself as the model, by Model.open of %s"),
  /** The entry of the run's configuration, its value, and the one that is given now. */
  GIVE_AS_IT_WAS("give '%s' as it was, %s and not %s, or held-out data of their own"),
  /** The folder of the adapter. */
  NAME_MODEL_OF_ADAPTER("name the model that it goes onto, with the adapter in %s"),
  /** The folder of the adapter. */
  GIVE_BASE_AND_ADAPTER("put it back, or take a model of the same layers with the adapter in %s"),
  /** The file of an experiment. */
  RUN_EXPERIMENT("make an experiment of %s"),
  /** The file of a search. */
  RUN_SEARCH("make a search of %s"),
  /** The folder of a search. */
  CONTINUE_SEARCH("go on with the search in %s"),
  /** The file of a training. */
  TRAIN_BY("train by the settings in %s"),
  OWN_FOLDER("write into a folder of its own"),
  OTHER_OUTPUT("name another output"),
  OMIT_FILE("name no file"),
  /** A model's file. */
  CHOOSE_FILE("name the model's file, as %s"),
  CHOOSE_ONE_FILE("name one of the files"),

  // Models.
  ADD_HEAD("put a head on it"),
  ADD_HEAD_OR_NAME_OUTPUT("put a head on it, or name the output that is its answer"),
  /** The task. */
  ADD_HEAD_FOR_TASK("put the head for it on an encoder"),
  ADD_HEAD_FOR_LABELS("mend the label, or put a head for these labels on the model"),
  NAME_OUTPUT("name the output to take"),
  NAME_OTHER_OUTPUT("name another output, or export the model again"),
  EMBED("embed with it"),
  NAME_DOCUMENT_MODEL("name the model that embeds its documents"),
  NAME_STATES("it needs no other; if that is none, name the output to put one on"),
  NAME_POOLING("name the pooling, as the model's authors say it"),
  INJECT("inject adapters, or train all parameters or the head"),
  TAKE_INJECTED(
      "take one that adapters were injected into, or a run with adapters; what was trained without"
          + " any is used as it is"),
  REMOVE_OR_MERGE("remove them, or merge them"),
  LIST_LAYERS("inspect the model for all"),
  LIST_PARAMETERS("inspect the model for its parameters"),

  // Training.
  NAME_TASK("name the task"),
  /** The task. */
  CHOOSE_TASK("train it for %s"),
  CHOOSE_MULTILABEL("take the multi-label task if a text can have several at once"),
  OMIT_TRAINABLE("name none besides"),
  OMIT_BIASES("ask for no biases besides"),
  /** Precisions. */
  CHOOSE_PRECISION("train with precision %s"),
  /** Precisions, a learning rate. */
  CHOOSE_PRECISION_OR_RATE("train again with precision %s, or with a learning rate of %s or less"),
  /** A learning rate. */
  LOWER_RATE("train again with a learning rate of %s or less, or a longer warm-up"),
  FIND_ROW("evaluate the model on the rows to find it"),
  /** A number of examples. */
  TRAIN_ON("train on %s, or export the model with an open batch axis"),
  /** The engine that was asked for. */
  OMIT_ENGINE("ask for another engine than %s"),
  KEEP_ALL("train without computing layers again"),
  GRAPH_ENGINE_OR_CPU("take the graph engine, or the CPU"),

  SMALLER_SHAPE("take a smaller batch, or shorter sequences"),

  // Data.
  /** What the column holds: text, text pair or label. */
  NAME_COLUMN("name the %s column"),
  /** The same. */
  NAME_COLUMN_OR_HEADING("name the %s column, or put a heading there"),
  /** What the field holds: text, text pair or label. */
  NAME_FIELD("name the %s field"),
  NAME_LABEL_COLUMN("mend the example, or name the column or field of labels"),
  NAME_OTHER_COLUMNS("name a column for each"),
  CHECK_LABEL_COLUMN("is the column of labels the right one?"),
  GIVE_TOKENS("give tokens with all inputs of the model instead of text"),
  GIVE_WORDS("give its words"),
  /** A number of tokens. */
  LESS_OVERLAP("let them have %s or fewer in common, or allow more tokens"),
  ADD_TOKENIZER_OR_GIVE_TOKENS("put it there, or give tokens instead of text"),
  ALLOW_MORE_TOKENS("allow more"),
  /** A number of tokens. */
  ALLOW_FEWER_TOKENS("allow at most %s"),
  CUT_OR_ALLOW_MORE_TOKENS("cut it, or allow more tokens"),

  // Devices.
  USE_CPU("use the CPU"),
  /** Goes on with what was said to do for the GPU. */
  OR_USE_CPU(", or use the CPU"),
  INSTALL_CUDA_BUILD_OR_USE_CPU("install it, or use the CPU"),
  REINSTALL_CUDA_BUILD("delete its folder, and install it again"),
  REINSTALL_OR_USE_CPU("install it again, or use the CPU"),
  SEE_WHAT_GPU_LACKS("see whether its driver, CUDA and cuDNN are there");

  private final String words;

  Remedy(String words) {
    this.words = words;
  }

  String words() {
    return words;
  }

  /** The remedy for one failure. */
  public Advice with(Object... arguments) {
    return Advice.of(this, arguments);
  }
}
